// What a hostile program does inside of a container, for the tests beside it. Static, as there is
// no C library in there.
//
//   intruder watch CANARY   looks into every other process that it sees, while somebody has
//                           /tmp/lifeline open for writing:
//                           roots, working directories and descriptors that lead out of its own
//                           root, and programs that can be opened for writing when they have ended
//
// Whatever it reaches is a line on standard output that begins with "reached".
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat own_root;

static int same(const struct stat* a, const struct stat* b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// Up from a directory as far as it goes: whether that is another root than ours.
static int leads_out(int fd) {
  struct stat here, above;
  int at = dup(fd);
  for (int i = 0; i < 100 && at >= 0; ++i) {
    const int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int known = fstat(at, &here) == 0 && up >= 0 && fstat(up, &above) == 0;
    close(at);
    at = up;
    if (!known || same(&here, &above)) break;
  }
  const int out = at >= 0 && fstat(at, &here) == 0 && !same(&here, &own_root);
  if (at >= 0) close(at);
  return out;
}

static void report(int pid, const char* what, const char* canary) {
  char path[512];
  snprintf(path, sizeof path, "/proc/%d/%s%s", pid, what, canary);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  printf("reached the host by %s of process %d%s\n", what, pid, fd >= 0 ? ", and the canary" : "");
  fflush(stdout);
  if (fd >= 0) close(fd);
}

static void try_directory(int pid, const char* what, const char* canary) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  if (leads_out(fd)) report(pid, what, canary);
  close(fd);
}

static void try_descriptors(int pid, const char* canary) {
  char path[64];
  for (int fd = 0; fd < 24; ++fd) {
    snprintf(path, sizeof path, "fd/%d", fd);
    try_directory(pid, path, canary);
  }
}

// A program of none of the container's files: the file may be opened for writing once nobody runs
// it, if only there is a descriptor to reopen it by.
static void try_program(int pid) {
  char path[64];
  struct stat seen, known;
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  int ours = fstat(fd, &seen) < 0;
  const char* files[] = {"/bin/busybox", "/intruder"};
  for (int i = 0; i < 2; ++i) ours |= stat(files[i], &known) == 0 && same(&seen, &known);
  if (!ours) {
    kill(pid, SIGKILL);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int out = -1;
    for (int i = 0; i < 200 && out < 0; ++i) {
      out = open(path, O_WRONLY | O_CLOEXEC);
      if (out < 0 && errno != ETXTBSY) break;
      if (out < 0) usleep(1000);
    }
    printf(out < 0 ? "saw a program of the host\n" : "reached a program of the host\n");
    fflush(stdout);
    if (out >= 0 && pwrite(out, "overwritten", 11, 0) > 0) close(out);
  }
  close(fd);
}

static void watch(const char* canary) {
  const int lifeline = open("/tmp/lifeline", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  char end;
  while (lifeline >= 0 && read(lifeline, &end, 1) < 0) {
    DIR* processes = opendir("/proc");
    if (processes == NULL) exit(1);
    for (const struct dirent* entry; (entry = readdir(processes)) != NULL;) {
      const int pid = atoi(entry->d_name);
      if (pid <= 0 || pid == getpid()) continue;
      try_directory(pid, "root", canary);
      try_directory(pid, "cwd", canary);
      try_program(pid);
      try_descriptors(pid, canary);
    }
    closedir(processes);
  }
}

int main(int argc, char** argv) {
  if (argc < 3 || strcmp(argv[1], "watch") != 0 || stat("/", &own_root) < 0) return 2;
  puts("watching");
  fflush(stdout);
  watch(argv[2]);
  return 0;
}

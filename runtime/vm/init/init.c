/* The guest's first process: loads what is needed, mounts the image, runs the command, reports its
 * status and ends the machine. Static, no allocation, no libc beyond system calls and strings.
 *
 * /config in the initramfs holds NUL-terminated fields: working directory, user, number of
 * arguments, arguments, number of variables, variables. /modules/NN-name.ko are loaded in order.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kDebugExitPort = 0xf4, kMaxWords = 4096, kConfigSize = 1 << 20 };

static char config[kConfigSize];

/* Ends the machine: the debug-exit device first, it is the fastest. */
static void power_off(void) {
  if (ioperm(kDebugExitPort, 1, 1) == 0) outb(0, kDebugExitPort);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}

static void give_up(const char* what) {
  printf("strata-init: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  power_off();
}

static void load_module(const char* name) {
  char path[300];
  snprintf(path, sizeof path, "/modules/%s", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV))
    printf("strata-init: load %s: %s\n", name, strerror(errno));
  close(fd);
}

static void load_modules(void) {
  struct dirent** names;
  int count = scandir("/modules", &names, NULL, alphasort);
  for (int i = 0; i < count; ++i)
    if (names[i]->d_name[0] != '.') load_module(names[i]->d_name);
}

static void must_mount(const char* source, const char* target, const char* type,
                       unsigned long flags, const char* data) {
  mkdir(target, 0755);
  if (mount(source, target, type, flags, data) < 0) give_up(target);
}

enum { kTries = 20000, kTryMicroseconds = 500 };

/* Devices appear shortly after their driver. */
static int open_when_there(const char* path, int flags) {
  for (int tries = 0; tries < kTries; ++tries) {
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0) return fd;
    usleep(kTryMicroseconds);
  }
  give_up(path);
  return -1;
}

/* /dev/vport<D>p<N>: D counts virtio devices in the order of their discovery. */
static int open_port(int number) {
  char path[32];
  for (int tries = 0; tries < kTries; ++tries) {
    for (int device = 0; device < 8; ++device) {
      snprintf(path, sizeof path, "/dev/vport%dp%d", device, number);
      int fd = open(path, O_WRONLY | O_CLOEXEC);
      if (fd >= 0) return fd;
    }
    usleep(kTryMicroseconds);
  }
  give_up("virtio-serial port");
  return -1;
}

static void mount_image(void) {
  close(open_when_there("/dev/vda", O_RDONLY));
  must_mount("/dev/vda", "/lower", "erofs", MS_RDONLY, NULL);
  must_mount("tmpfs", "/writable", "tmpfs", 0, NULL);
  mkdir("/writable/upper", 0755);
  mkdir("/writable/work", 0755);
  must_mount("overlay", "/image", "overlay", 0,
             "lowerdir=/lower,upperdir=/writable/upper,workdir=/writable/work");
  must_mount("proc", "/image/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  must_mount("sysfs", "/image/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  must_mount("devtmpfs", "/image/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  mkdir("/image/dev/pts", 0755);
  mount("devpts", "/image/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
        "ptmxmode=0666,mode=0620,gid=5");
  mkdir("/image/dev/shm", 01777);
  mount("tmpfs", "/image/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

static char* next_field(char** at) {
  char* field = *at;
  *at += strlen(field) + 1;
  return field;
}

static char** read_words(char** at, char** words) {
  long count = strtol(next_field(at), NULL, 10);
  if (count < 0 || count > kMaxWords) {
    errno = E2BIG;
    give_up("config");
  }
  for (long i = 0; i < count; ++i) words[i] = next_field(at);
  words[count] = NULL;
  return words;
}

static int is_number(const char* text) {
  return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Field `index` of the line of a colon-separated file whose first field is `name`; "" if none. */
static void look_up(const char* file, const char* name, int index, char* value, size_t size) {
  char line[1024];
  value[0] = '\0';
  FILE* f = fopen(file, "re");
  while (f != NULL && fgets(line, sizeof line, f) != NULL) {
    char* rest = line;
    char* field = strsep(&rest, ":\n");
    if (strcmp(field, name) != 0) continue;
    for (int i = 0; i < index && rest != NULL; ++i) field = strsep(&rest, ":\n");
    snprintf(value, size, "%s", field);
    break;
  }
  if (f != NULL) fclose(f);
}

/* In the image's root. Returns 0, or -1 with a message on standard error. */
static int become(char* user) {
  char number[32];
  char* group = strchr(user, ':');
  if (group != NULL) *group++ = '\0';
  if (*user == '\0') return 0;
  unsigned long uid = strtoul(user, NULL, 10);
  unsigned long gid = 0;
  if (!is_number(user)) {
    look_up("/etc/passwd", user, 2, number, sizeof number);
    if (!is_number(number)) return dprintf(2, "no user '%s' in the image\n", user), -1;
    uid = strtoul(number, NULL, 10);
    look_up("/etc/passwd", user, 3, number, sizeof number);
    gid = strtoul(number, NULL, 10);
  }
  if (group != NULL) {
    if (!is_number(group)) {
      look_up("/etc/group", group, 2, number, sizeof number);
      if (!is_number(number)) return dprintf(2, "no group '%s' in the image\n", group), -1;
      group = number;
    }
    gid = strtoul(group, NULL, 10);
  }
  gid_t only = (gid_t)gid;
  if (setgroups(1, &only) < 0 || setgid((gid_t)gid) < 0 || setuid((uid_t)uid) < 0)
    return dprintf(2, "become user %lu: %s\n", uid, strerror(errno)), -1;
  return 0;
}

static void run_command(char* directory, char* user, char** arguments, char** variables) {
  setsid();
  if (chroot("/image") < 0 || chdir("/") < 0) _exit(125);
  if (*directory != '\0' && chdir(directory) < 0) {
    if (mkdir(directory, 0755) < 0 || chdir(directory) < 0) {
      dprintf(2, "enter %s: %s\n", directory, strerror(errno));
      _exit(125);
    }
  }
  if (become(user) < 0) _exit(125);
  environ = variables;
  execvp(arguments[0], arguments);
  dprintf(2, "execute %s: %s\n", arguments[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

static void read_config(void) {
  int fd = open("/config", O_RDONLY | O_CLOEXEC);
  ssize_t n = 0;
  size_t used = 0;
  while (fd >= 0 && (n = read(fd, config + used, sizeof config - 1 - used)) > 0) used += (size_t)n;
  if (fd < 0 || n < 0 || used == 0) give_up("/config");
}

static char* arguments[kMaxWords + 1];
static char* variables[kMaxWords + 1];

int main(void) {
  must_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  load_modules();
  read_config();
  mount_image();
  char* at = config;
  char* directory = next_field(&at);
  char* user = next_field(&at);
  read_words(&at, arguments);
  read_words(&at, variables);

  int out = open_port(1);
  int err = open_port(2);
  int status_port = open_port(3);
  pid_t pid = fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    dup2(out, 1);
    dup2(err, 2);
    run_command(directory, user, arguments, variables);
  }
  int status = 0;
  /* Orphans come to us, too. */
  for (pid_t ended = 0; ended != pid;) {
    int s = 0;
    ended = wait(&s);
    if (ended == pid) status = s;
  }
  dprintf(status_port, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  sync();
  power_off();
}

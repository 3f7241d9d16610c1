# Writes the list of the system calls that the compiler's kernel headers know, one line each:
#   STRATA_SYSCALL(openat)
# Run as: cmake -DCOMPILER=cc -DOUTPUT=file -P SyscallTable.cmake

file(WRITE ${OUTPUT}.c "#include <asm/unistd.h>\n")
execute_process(COMMAND ${COMPILER} -E -dM ${OUTPUT}.c
                OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z_0-9]+ " names "${macros}")
list(TRANSFORM names REPLACE "#define __NR_([a-z_0-9]+) " "\\1")
# Not calls: the count of all, and the marker where an architecture's own begin.
list(REMOVE_ITEM names syscalls arch_specific_syscall)
list(LENGTH names count)
if(count LESS 200)
  message(FATAL_ERROR "<asm/unistd.h> names only ${count} system calls")
endif()
list(SORT names)
list(TRANSFORM names REPLACE "(.+)" "STRATA_SYSCALL(\\1)\n")
string(JOIN "" text ${names})
file(WRITE ${OUTPUT} "${text}")

# Programs for the kernel's BPF machine, compiled and made into skeleton headers in the build tree.
#
#   strata_bpf_object(NAME startup.bpf.c HEADERS startup_events.h …)
#
# gives the target NAME (an interface library): whoever links it can include "<base>.skel.h"
# ("startup.skel.h"), which holds the object code and the functions that open, load and attach it.
# Needs clang and bpftool and no BTF of the build machine: kernel types come from
# probes/vmlinux/vmlinux.h and are relocated to the running kernel when the program is loaded.

find_program(STRATA_BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14
             DOC "clang that compiles for the BPF target")
find_program(STRATA_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin DOC "bpftool that makes skeletons")
foreach(tool IN ITEMS STRATA_BPF_CLANG STRATA_BPFTOOL)
  if(NOT ${tool})
    message(FATAL_ERROR
      "${tool}: not found. The probes need clang and bpftool to be built "
      "(apt-get install clang bpftool; scripts/setup does), or point -D${tool}=… at one.")
  endif()
endforeach()

# Machine names as <bpf/bpf_tracing.h> has them, for the layout of pt_regs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(STRATA_BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(STRATA_BPF_ARCH arm64)
else()
  set(STRATA_BPF_ARCH ${CMAKE_SYSTEM_PROCESSOR})
endif()

function(strata_bpf_object name source)
  cmake_parse_arguments(arg "" "" "HEADERS" ${ARGN})
  cmake_path(GET source STEM base)  # startup.bpf.c -> startup
  set(out ${CMAKE_CURRENT_BINARY_DIR}/bpf)
  set(compiled ${out}/${base}.compiled.o)
  set(object ${out}/${base}.bpf.o)
  set(skeleton ${out}/${base}.skel.h)
  file(MAKE_DIRECTORY ${out})
  list(TRANSFORM libbpf_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE libbpf_includes)

  # -g for the types that CO-RE needs; `bpftool gen object` then drops the DWARF and keeps the BTF.
  # v3 has the atomic operations that give a value back (kernel 5.12).
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${STRATA_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -std=gnu11
            -Wall -Wextra -Werror -Wno-unused-parameter
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
            -D__TARGET_ARCH_${STRATA_BPF_ARCH} -I${PROJECT_SOURCE_DIR} ${libbpf_includes}
            -include probes/vmlinux/vmlinux.h
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${compiled}
    COMMAND ${STRATA_BPFTOOL} gen object ${object} ${compiled}
    # SYSTEM below keeps the compiler's warnings out of bpftool's code, these marks clang-tidy's.
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN" > ${skeleton}
    COMMAND ${STRATA_BPFTOOL} gen skeleton ${object} name ${base}_bpf >> ${skeleton}
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${skeleton}
    DEPENDS ${source} ${arg_HEADERS} ${PROJECT_SOURCE_DIR}/probes/vmlinux/vmlinux.h
    COMMENT "BPF skeleton ${base}.skel.h"
    VERBATIM)
  add_custom_target(${name}_skeleton DEPENDS ${skeleton})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_skeleton)
  target_include_directories(${name} SYSTEM INTERFACE ${out})
endfunction()

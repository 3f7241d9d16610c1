# How everything is compiled. Targets take these through strata_library(), strata_program() and
# strata_test(), never through global flags, so a reader of one target sees all that applies to it.

include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

option(STRATA_TESTS "Build the tests" ON)
option(STRATA_WERROR "Treat compiler warnings as errors" ON)
option(STRATA_FUZZ "Build tests/fuzz as libFuzzer programs (clang)" OFF)
option(STRATA_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# All programs stand in one directory, as installed: `strata VERB` runs the `strata-VERB` beside it.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

add_library(strata_compile INTERFACE)
target_include_directories(strata_compile INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_definitions(strata_compile INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(strata_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual>
  -Wno-missing-field-initializers
  # g++ 12 sees overlaps in std::string's own code (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # std::stable_sort itself uses what C++17 deprecated, and clang blames its caller.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<BOOL:${STRATA_WERROR}>:-Werror>)
if(STRATA_SANITIZE)
  target_compile_options(strata_compile INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    # Instrumented code makes g++ lose track of what is set (gcc(1), -Wmaybe-uninitialized).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(strata_compile INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(strata_compile INTERFACE STRATA_SANITIZE=1)
endif()

if(STRATA_FUZZ)
  target_compile_options(strata_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

# `programs`: everything that is installed, without the tests.
add_custom_target(programs)

# strata_library(NAME SOURCES a.cc b.cc [PUBLIC targets…] [PRIVATE targets…])
function(strata_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE strata_compile ${arg_PRIVATE})
endfunction()

# strata_program(NAME [STATIC] SOURCES main.cc … PRIVATE targets…)
# STATIC: linked without shared libraries, for programs whose start-up time is part of what is
# measured. Sanitizers need the dynamic linker, so there STATIC is dropped.
function(strata_program name)
  cmake_parse_arguments(arg "STATIC" "" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE strata_compile ${arg_PRIVATE})
  if(arg_STATIC AND NOT STRATA_SANITIZE)
    # What nothing calls would be mapped, and counted, all the same.
    target_link_options(${name} PRIVATE -static -Wl,--gc-sections)
  endif()
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

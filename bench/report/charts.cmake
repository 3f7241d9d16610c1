# The chart library that reports embed: d3 and Observable Plot in the exact versions that
# package.json names, brought by npm into the build tree once, at configure time, since what is
# compiled depends on the outcome. The digests are ours: whatever a registry serves, only these files
# are used. Nothing of it is kept in the source tree.
#
# strata_fetch_charts(FILES_VARIABLE REASON_VARIABLE)
# sets the first to the files, in the order in which a page needs them; or, where they can't be had,
# to nothing and the second to a sentence that says why. Reports then have tables and no plots.

set(STRATA_CHART_FILES
  d3/LICENSE
  d3/dist/d3.min.js
  @observablehq/plot/LICENSE
  @observablehq/plot/dist/plot.umd.min.js)
set(STRATA_CHART_DIGESTS
  3e6849627f74ff73c257a3ae1efb574015d94fc1035c05ec3c15805165efcbc4
  f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539
  4b295e011e0e046170041b5b46f1349393aeceb95797793a55bd21dbb543363a
  4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb)

# Runs npm in `dir`; sets `problem` to why that failed, or to nothing.
function(strata_run_npm dir problem)
  find_program(NPM_PROGRAM npm)
  if(NOT NPM_PROGRAM)
    set(${problem} "npm is not installed" PARENT_SCOPE)
    return()
  endif()
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/package.json DESTINATION ${dir})
  message(STATUS "Fetching the report's chart library with npm")
  execute_process(
    COMMAND ${NPM_PROGRAM} install --silent --no-package-lock --ignore-scripts --no-audit
            --no-fund --prefer-offline --fetch-retries=1 --fetch-timeout=20000
    WORKING_DIRECTORY ${dir}
    TIMEOUT 180
    RESULT_VARIABLE status
    OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(${problem} "" PARENT_SCOPE)
  else()
    set(${problem} "npm could not fetch it (${status})" PARENT_SCOPE)
  endif()
endfunction()

function(strata_fetch_charts files_variable reason_variable)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/charts)
  set(files ${STRATA_CHART_FILES})
  list(TRANSFORM files PREPEND ${dir}/node_modules/)
  set(reason "")
  foreach(file IN LISTS files)
    if(NOT EXISTS ${file})
      strata_run_npm(${dir} reason)
      break()
    endif()
  endforeach()
  if(reason)
    message(WARNING "Reports of this build will have tables but no plots: their chart library is "
                    "missing, since ${reason}. Configure again to try again.")
    set(files "")
  endif()
  foreach(file digest IN ZIP_LISTS files STRATA_CHART_DIGESTS)
    if(NOT file)
      break()
    endif()
    file(SHA256 ${file} found)
    if(NOT found STREQUAL digest)
      message(FATAL_ERROR "${file} is not the file that was pinned (SHA-256 ${found}); "
                          "remove ${dir} to fetch it again")
    endif()
  endforeach()
  set(${files_variable} ${files} PARENT_SCOPE)
  set(${reason_variable} "${reason}" PARENT_SCOPE)
endfunction()

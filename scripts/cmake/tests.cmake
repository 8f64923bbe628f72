# Every test is found by glob. The first part of its name is its tier, which is also its ctest label:
#   unit property fuzz        programs, one per C file
#   golden readme             what the command prints and leaves behind
#   conformance               published cases, tests/conformance/tests.cmake
#   tidy                      rules about the sources
#   bench                     instruction counts
# Tests with CONFIGURATIONS slow (label "slow" too) are left out unless asked for: ctest -C slow -L slow.

# Code shared by tests, and the naive simulator they compare with: tests/support/*.c, tests/oracle/*.c.
file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c tests/oracle/*.c)
list(FILTER support_sources EXCLUDE REGEX "/(fuzz_replay|test_[^/]*)\\.c$")
add_library(fsim_test_support INTERFACE)
target_include_directories(fsim_test_support INTERFACE tests)
if(support_sources)
  add_library(fsim_test_objects STATIC ${support_sources})
  target_include_directories(fsim_test_objects PUBLIC tests)
  target_link_libraries(fsim_test_objects PUBLIC fsim_lib PkgConfig::jansson)
  target_link_libraries(fsim_test_support INTERFACE fsim_test_objects)
endif()
target_link_libraries(fsim_test_support INTERFACE fsim_lib PkgConfig::jansson)
if(fat_objects)
  # The machine code in the library is good enough for tests and links at once.
  target_link_options(fsim_test_support INTERFACE -fno-lto)
endif()

# Exit status 77: everything in the program was skipped, with the reason printed.
function(fsim_add_test_programs label)
  foreach(file IN LISTS ARGN)
    get_filename_component(name "${file}" NAME_WE)
    add_executable(${name} "${file}")
    target_link_libraries(${name} PRIVATE fsim_test_support)
    add_test(NAME ${label}/${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 300)
  endforeach()
endfunction()

# A script with arguments, run in the source tree.
function(fsim_add_test_script name)
  string(REGEX REPLACE "/.*" "" label "${name}")
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

file(GLOB files CONFIGURE_DEPENDS tests/unit/test_*.c)
fsim_add_test_programs(unit ${files})
file(GLOB files CONFIGURE_DEPENDS tests/property/test_*.c tests/oracle/test_*.c)
fsim_add_test_programs(property ${files})

# A file that defines LLVMFuzzerTestOneInput. With FSIM_FUZZ the target fuzz_<corpus> is a fuzzer; otherwise it replays the
# files of tests/fuzz/corpus/<corpus>/, so that what was once found stays found.
function(fsim_add_fuzz_target corpus file)
  set(name "fuzz_${corpus}")
  if(FSIM_FUZZ)
    add_executable(${name} "${file}")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} "${file}" tests/support/fuzz_replay.c)
    add_test(NAME fuzz/${corpus} COMMAND ${name} tests/fuzz/corpus/${corpus}
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(fuzz/${corpus} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
  target_compile_definitions(${name} PRIVATE ${ARGN})
  target_link_libraries(${name} PRIVATE fsim_test_support)
endfunction()

file(GLOB files CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  string(REPLACE "fuzz_" "" corpus "${name}")
  fsim_add_fuzz_target("${corpus}" "${file}")
endforeach()

# Readers of public traces: one program each of tests/fuzz/reader.c. Format, and what its first file is called.
foreach(reader IN ITEMS
    "azure-2019 invocations_per_function_md.anon.d01.csv" "azure-2021 trace.txt" "huawei-2023 requests_minute.csv"
    "huawei-2025-requests requests.csv" "huawei-2025-cold-starts day_00.csv" "ibm-code-engine week.csv" "opendc fn.csv"
    "prometheus answer.json" "lambda-report log.txt" "common-log access.log" "series series.csv" "instants times.csv"
    "numbers numbers.txt")
  string(REPLACE " " ";" reader "${reader}")
  list(GET reader 0 format)
  list(GET reader 1 first_file)
  string(REPLACE "-" "_" corpus "reader_${format}")
  fsim_add_fuzz_target("${corpus}" tests/fuzz/reader.c FUZZ_FORMAT="${format}" FUZZ_FILE="${first_file}")
endforeach()

file(GLOB files CONFIGURE_DEPENDS tests/conformance/*.c)
list(FILTER files EXCLUDE REGEX "/test_[^/]*\\.c$")
if("${PROJECT_SOURCE_DIR}/tests/conformance/main.c" IN_LIST files)
  add_executable(fsim-conformance ${files})
  target_link_libraries(fsim-conformance PRIVATE fsim_test_support)
  include(tests/conformance/tests.cmake OPTIONAL)
endif()

if(have_command)
  file(GLOB files CONFIGURE_DEPENDS tests/golden/*/cmd)
  foreach(file IN LISTS files)
    get_filename_component(dir "${file}" DIRECTORY)
    get_filename_component(case "${dir}" NAME)
    fsim_add_test_script(golden/${case} tests/support/golden.sh "$<TARGET_FILE:fsim>" "${dir}")
  endforeach()

  file(GLOB files CONFIGURE_DEPENDS README.md policies/README.md workloads/README.md)
  foreach(file IN LISTS files)
    file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${file}")
    fsim_add_test_script(readme/${name} tests/support/readme.sh "${PROJECT_BINARY_DIR}" "${file}")
  endforeach()
endif()

# Rules about the sources say the same in every build: only where no sanitizer slows them down.
if(NOT FSIM_SANITIZE)
  foreach(check format calls leftovers names length paths text)
    fsim_add_test_script(tidy/${check} scripts/check_tidy.sh ${check})
  endforeach()
  fsim_add_test_script(tidy/layers scripts/check_layers.sh)
  fsim_add_test_script(tidy/headers scripts/check_headers.sh)
  fsim_add_test_script(tidy/checks tests/tidy/test_checks.sh .)
  fsim_add_test_script(tidy/runners tests/tidy/test_runners.sh .)
  foreach(check globals malloc)
    fsim_add_test_script(tidy/${check} scripts/check_symbols.sh ${check} "$<TARGET_FILE:fsim_lib>")
  endforeach()
  # Minutes of CPU time: with the slow ones.
  add_test(NAME tidy/clang-tidy COMMAND scripts/check_clang_tidy.sh WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    CONFIGURATIONS slow)
  set_tests_properties(tidy/clang-tidy PROPERTIES LABELS "tidy;slow" SKIP_RETURN_CODE 77 TIMEOUT 3600)
  if(have_command)
    fsim_add_test_script(bench/instructions scripts/check_instructions.sh "$<TARGET_FILE:fsim>")
  endif()
endif()

# Real Wasm modules; skipped by name where the runtime is not there.
fsim_add_test_script(wasm/modules tests/wasm/test_modules.sh)
if(have_command)
  foreach(backend wasmedge wasm2c)
    fsim_add_test_script(wasm/${backend} tests/wasm/test_wasm.sh "${PROJECT_BINARY_DIR}" ${backend})
    # Limits on time are asserted: nothing else runs meanwhile.
    set_tests_properties(wasm/${backend} PROPERTIES RUN_SERIAL TRUE)
  endforeach()
endif()

# The validity cases and recorded vectors. Everything quick enough for scripts/test runs always; the cases at full length only with
#   ctest --test-dir build/release -C slow -L slow
file(GLOB files RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS tests/vectors/*.json)
list(FILTER files EXCLUDE REGEX "(cases|billing_pricebooks)\\.json$")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  add_test(NAME conformance/${name} COMMAND fsim-conformance "${file}" WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(conformance/${name} PROPERTIES LABELS conformance TIMEOUT 300)
endforeach()

# Each of these lacks a field or has one of another type: it fails, and the next is read.
add_test(NAME conformance/malformed COMMAND fsim-conformance tests/conformance/malformed.json
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(conformance/malformed PROPERTIES LABELS conformance TIMEOUT 60
  PASS_REGULAR_EXPRESSION "0 passed, 6 failed, 0 skipped")

set(budget 2M)
if(FSIM_SANITIZE)
  set(budget 200k) # ten times slower, and here for the sanitizers more than for the statistics
endif()
add_test(NAME conformance/cases COMMAND fsim-conformance --quick --budget ${budget} tests/vectors/cases.json
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(conformance/cases PROPERTIES LABELS conformance TIMEOUT 900)
# Variations of them with every source, distribution, policy and field that they leave out.
add_test(NAME conformance/theory_cases COMMAND fsim-conformance --quick --budget ${budget} tests/vectors/theory_cases.json
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(conformance/theory_cases PROPERTIES LABELS conformance TIMEOUT 900)
add_test(NAME conformance/cases-in-full COMMAND fsim-conformance tests/vectors/cases.json
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" CONFIGURATIONS slow)
set_tests_properties(conformance/cases-in-full PROPERTIES LABELS "conformance;slow" TIMEOUT 7200)

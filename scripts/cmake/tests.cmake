# Every test is found by glob. Labels are tiers: unit, property, golden, conformance, fuzz, tidy, readme, bench.

# One program per C file, linked with the library. Exit code 77: everything in it was skipped, with the reason printed.
function(fsim_add_test_programs label)
  foreach(file IN LISTS ARGN)
    get_filename_component(name "${file}" NAME_WE)
    add_executable(${name} "${file}")
    target_link_libraries(${name} PRIVATE fsim_lib PkgConfig::jansson)
    if(fat_objects)
      target_link_options(${name} PRIVATE -fno-lto)
    endif()
    add_test(NAME ${label}/${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 300)
  endforeach()
endfunction()

file(GLOB files CONFIGURE_DEPENDS tests/unit/test_*.c)
fsim_add_test_programs(unit ${files})
file(GLOB files CONFIGURE_DEPENDS tests/property/test_*.c)
fsim_add_test_programs(property ${files})

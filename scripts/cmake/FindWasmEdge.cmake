# WasmEdge's C library: the system's, or the prefix that scripts/setup-wasmedge.sh makes (WASMEDGE_PREFIX, default
# .deps/wasmedge in the source tree). Defines WasmEdge::WasmEdge; with a prefix also WasmEdge_LOADER, the program loader
# of the prefix, and WasmEdge_LIBPATH, where its libraries are.
set(WASMEDGE_PREFIX "${PROJECT_SOURCE_DIR}/.deps/wasmedge" CACHE PATH "Where scripts/setup-wasmedge.sh put WasmEdge")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${WASMEDGE_PREFIX}/env")

find_path(WasmEdge_INCLUDE_DIR NAMES wasmedge/wasmedge.h HINTS "${WASMEDGE_PREFIX}/usr/include")
find_library(WasmEdge_LIBRARY NAMES wasmedge HINTS "${WASMEDGE_PREFIX}/link")

set(WasmEdge_LOADER "")
set(WasmEdge_LIBPATH "")
if(WasmEdge_LIBRARY AND EXISTS "${WASMEDGE_PREFIX}/env")
  cmake_path(IS_PREFIX WASMEDGE_PREFIX "${WasmEdge_LIBRARY}" in_prefix)
  if(in_prefix)
    file(STRINGS "${WASMEDGE_PREFIX}/env" lines)
    foreach(line IN LISTS lines)
      if(line MATCHES "^WASMEDGE_LDSO=(.*)$")
        set(WasmEdge_LOADER "${CMAKE_MATCH_1}")
      elseif(line MATCHES "^WASMEDGE_LIBPATH=(.*)$")
        set(WasmEdge_LIBPATH "${CMAKE_MATCH_1}")
      endif()
    endforeach()
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WasmEdge
  REQUIRED_VARS WasmEdge_LIBRARY WasmEdge_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "scripts/setup-wasmedge.sh gets it, and until then fsim calibrate and exec use wasm2c")

if(WasmEdge_FOUND AND NOT TARGET WasmEdge::WasmEdge)
  add_library(WasmEdge::WasmEdge UNKNOWN IMPORTED)
  set_target_properties(WasmEdge::WasmEdge PROPERTIES
    IMPORTED_LOCATION "${WasmEdge_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WasmEdge_INCLUDE_DIR}")
  if(WasmEdge_LOADER)
    # The program runs with the prefix's libc; linking against the system's settles its symbols all the same.
    set_target_properties(WasmEdge::WasmEdge PROPERTIES INTERFACE_LINK_OPTIONS
      "-Wl,--allow-shlib-undefined;-Wl,--dynamic-linker=${WasmEdge_LOADER}")
  endif()
endif()
mark_as_advanced(WasmEdge_INCLUDE_DIR WasmEdge_LIBRARY)

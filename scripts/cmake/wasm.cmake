# The programs that run Wasm modules for fsim calibrate and fsim exec: fsim-wasm-worker (WasmEdge, where there is one) and
# fsim-wasm-worker-wasm2c (wasm2c and gcc, looked for when it runs). fsim itself links neither. No sanitizers here: limits on
# memory and signals of guests are what these programs are made of; what they read of others (protocol, module) is in
# the library and tested there. Nor the library: the prefix's libc would have to serve GSL and the rest.
set(worker_sources
  sim/base/error.c sim/base/sha256.c sim/base/text.c sim/wasm/module.c sim/wasm/protocol.c
  sim/wasm/worker/cache.c sim/wasm/worker/instance.c sim/wasm/worker/sandbox.c sim/wasm/worker/zygote.c)

function(fsim_add_worker name)
  add_executable(${name} ${worker_sources} ${ARGN})
  target_include_directories(${name} PRIVATE sim)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    "$<$<BOOL:${FSIM_WERROR}>:-Werror>" "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
  target_link_libraries(${name} PRIVATE m)
  install(TARGETS ${name})
endfunction()

fsim_add_worker(fsim-wasm-worker-wasm2c sim/wasm/worker/backend_wasm2c.c)
fsim_embed(fsim-wasm-worker-wasm2c glue "${PROJECT_SOURCE_DIR}/sim/wasm/worker/wasm2c_glue.inc")
target_link_libraries(fsim-wasm-worker-wasm2c PRIVATE ${CMAKE_DL_LIBS})

find_package(WasmEdge)
if(WasmEdge_FOUND)
  fsim_add_worker(fsim-wasm-worker sim/wasm/worker/backend_wasmedge.c)
  target_link_libraries(fsim-wasm-worker PRIVATE WasmEdge::WasmEdge)
  # Since 0.17 compiled code is ignored unless this is set; before, there is no such function.
  include(CheckSymbolExists)
  set(CMAKE_REQUIRED_INCLUDES "${WasmEdge_INCLUDE_DIR}")
  set(CMAKE_REQUIRED_LIBRARIES "${WasmEdge_LIBRARY}" -Wl,--allow-shlib-undefined)
  check_symbol_exists(WasmEdge_ConfigureSetRunMode wasmedge/wasmedge.h HAVE_WASMEDGE_RUNMODE)
  unset(CMAKE_REQUIRED_INCLUDES)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(HAVE_WASMEDGE_RUNMODE)
    target_compile_definitions(fsim-wasm-worker PRIVATE HAVE_WASMEDGE_RUNMODE)
  endif()
endif()

/* What the build found: generated, sorted by name, NULL-terminated. */
#ifndef FSIM_API_REGISTRY_H
#define FSIM_API_REGISTRY_H

#include "api/policy_api.h"
#include "api/source_api.h"

extern const fsim_scaling_ops *const fsim_scaling_registry[];
extern const fsim_keepalive_ops *const fsim_keepalive_registry[];
extern const fsim_routing_ops *const fsim_routing_registry[];
extern const fsim_admission_ops *const fsim_admission_registry[];
extern const fsim_provisioned_ops *const fsim_provisioned_registry[];
extern const fsim_source_ops *const fsim_source_registry[];

#endif

// The devices that the Vulkan loader of this machine has, which is what WebGPU runs on where it
// goes through Vulkan. Asked without opening any of them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace millrace {

struct VulkanDevice {
  std::string name;
  std::string type;  // "discrete", "integrated", "virtual", "cpu" or "other"
};

// Any thread. Loads the Vulkan loader from `library` ("libvulkan.so.1" where that is empty) and the
// drivers that it finds, which it lets go of again. Errors: kModelLoad where it is missing or does
// not start; no driver at all is an empty list.
Result<std::vector<VulkanDevice>> list_vulkan_devices(const std::string& library);

}  // namespace millrace

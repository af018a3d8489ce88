#include "model/vulkan_devices.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/shared_library.h"

namespace millrace {
namespace {

// The part of Vulkan's interface that is needed for a list of names, declared as its specification
// lays it out.
namespace vk {

struct Instance;
struct PhysicalDevice;
using Code = std::int32_t;
constexpr Code kSuccess = 0;
constexpr Code kIncomplete = 5;
constexpr Code kIncompatibleDriver = -9;  // also: no driver at all

struct InstanceCreateInfo {
  std::int32_t kind = 1;  // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
  const void* next = nullptr;
  std::uint32_t flags = 0;
  const void* application = nullptr;
  std::uint32_t layer_count = 0;
  const char* const* layers = nullptr;
  std::uint32_t extension_count = 0;
  const char* const* extensions = nullptr;
};

struct PhysicalDeviceProperties {
  std::uint32_t api_version;
  std::uint32_t driver_version;
  std::uint32_t vendor;
  std::uint32_t device;
  std::int32_t type;
  std::array<char, 256> name;
  alignas(8) std::array<std::byte, 4096> rest;  // of 544 bytes, and room for what may be added
};

using CreateInstance = Code(const InstanceCreateInfo*, const void*, Instance**);
using DestroyInstance = void(Instance*, const void*);
using EnumeratePhysicalDevices = Code(Instance*, std::uint32_t*, PhysicalDevice**);
using GetPhysicalDeviceProperties = void(PhysicalDevice*, PhysicalDeviceProperties*);

}  // namespace vk

struct Loader {
  vk::CreateInstance* create = nullptr;
  vk::DestroyInstance* destroy = nullptr;
  vk::EnumeratePhysicalDevices* enumerate = nullptr;
  vk::GetPhysicalDeviceProperties* properties = nullptr;
};

Error failure(std::string message) {
  return {ErrorCode::kModelLoad, std::move(message)};
}

template <class Function>
bool find(const SharedLibrary& library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(library.symbol(name));
  return function != nullptr;
}

Result<Loader> open_loader(const std::string& path) {
  Result<SharedLibrary> library = SharedLibrary::open(path);
  if (!library.ok()) return failure(library.error().message);
  const SharedLibrary& file = library.value();
  Loader loader;
  if (find(file, "vkCreateInstance", loader.create) &&
      find(file, "vkDestroyInstance", loader.destroy) &&
      find(file, "vkEnumeratePhysicalDevices", loader.enumerate) &&
      find(file, "vkGetPhysicalDeviceProperties", loader.properties)) {
    return loader;
  }
  return failure("'" + path + "' is not the Vulkan loader: it lacks its functions");
}

const char* type_of(std::int32_t type) {
  constexpr std::array names = {"other", "integrated", "discrete", "virtual", "cpu"};
  return type >= 0 && static_cast<std::size_t>(type) < names.size()
             ? names[static_cast<std::size_t>(type)]
             : "other";
}

VulkanDevice describe(const Loader& loader, vk::PhysicalDevice* device) {
  vk::PhysicalDeviceProperties properties{};
  loader.properties(device, &properties);
  const char* name = properties.name.data();
  return {std::string(name, strnlen(name, properties.name.size())), type_of(properties.type)};
}

}  // namespace

Result<std::vector<VulkanDevice>> list_vulkan_devices(const std::string& library) {
  const Result<Loader> opened = open_loader(library.empty() ? "libvulkan.so.1" : library);
  if (!opened.ok()) return opened.error();
  const Loader& loader = opened.value();

  const vk::InstanceCreateInfo info;
  vk::Instance* instance = nullptr;
  const vk::Code created = loader.create(&info, nullptr, &instance);
  std::vector<VulkanDevice> devices;
  if (created == vk::kIncompatibleDriver) return devices;
  if (created != vk::kSuccess)
    return failure("vkCreateInstance failed with code " + std::to_string(created));

  std::uint32_t count = 0;
  vk::Code listed = loader.enumerate(instance, &count, nullptr);
  std::vector<vk::PhysicalDevice*> handles(count);
  if (listed == vk::kSuccess && count > 0)
    listed = loader.enumerate(instance, &count, handles.data());
  if (listed == vk::kSuccess || listed == vk::kIncomplete) {
    handles.resize(count);
    for (vk::PhysicalDevice* handle : handles) devices.push_back(describe(loader, handle));
  }
  loader.destroy(instance, nullptr);
  if (listed == vk::kSuccess || listed == vk::kIncomplete) return devices;
  return failure("vkEnumeratePhysicalDevices failed with code " + std::to_string(listed));
}

}  // namespace millrace

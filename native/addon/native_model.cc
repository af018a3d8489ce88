#include "addon/native_model.h"

#include <optional>
#include <string>
#include <utility>

#include "addon/env_runtime.h"
#include "addon/native_error.h"
#include "addon/native_loads.h"
#include "addon/provider_values.h"
#include "addon/value_reader.h"
#include "base/thread_priority.h"
#include "cuda/cuda_block_device.h"
#include "model/onnx_model.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

// Everything a load needs, copied out of JavaScript, and what came of it.
struct Load {
  OrtLibrarySource library;
  OnnxModelSource source;
  OnnxModelOptions options;
  std::optional<Result<std::shared_ptr<OnnxModel>>> result;
  CudaBlockDevice::Options blocks;
  bool has_library = false;
  bool background = false;

  void run() {
    // The threads of a session's own pool inherit the priority, and would keep it.
    if (background && options.threads == 1) lower_thread_priority();
    const auto loaded = OrtLibrary::load(library);
    has_library = loaded.ok();
    if (has_library) {
      open_blocks();
      result = OnnxModel::load(*loaded.value(), std::move(source), std::move(options));
    } else {
      result = loaded.error();
    }
  }

  // Where the device cannot be opened, ONNX Runtime says so better; if it can run there all the
  // same, rows go by way of the host.
  void open_blocks() {
    if (options.provider.kind != ProviderKind::kCuda) return;
    auto opened = CudaBlockDevice::open(blocks);
    if (opened.ok()) options.blocks = std::move(opened.value());
  }

  // The core knows models only; that it is ONNX Runtime itself that is missing is known here.
  [[nodiscard]] Napi::Error error(Napi::Env env) const {
    Napi::Error js = to_js_error(env, result->error());
    if (!has_library) js.Set("code", Napi::String::New(env, "MILLRACE_NATIVE_LOAD"));
    return js;
  }
};

std::shared_ptr<Load> read_load(const Napi::Object& options) {
  auto load = std::make_shared<Load>();
  load->library = {text(options, "libraryPath"), text(options, "libraryVersion")};
  load->source.name = text(options, "name");
  const Napi::Value source = options.Get("source");
  if (source.IsString()) {
    load->source.path = source.As<Napi::String>().Utf8Value();
  } else {
    const auto bytes = source.As<Napi::Uint8Array>();
    const auto* first = reinterpret_cast<const std::byte*>(bytes.Data());
    load->source.bytes.assign(first, first + bytes.ByteLength());
  }
  load->options.cancellation = loads_of(options.Env(), options.Get("loads"));
  load->background = options.Get("background").As<Napi::Boolean>().Value();
  load->options.threads = options.Get("threads").As<Napi::Number>().Int32Value();
  load->options.spinning = options.Get("spinning").As<Napi::Boolean>().Value();
  load->options.arena = options.Get("arena").As<Napi::Boolean>().Value();
  load->options.replaceable = flag(options, "replaceable");
  load->options.provider = read_provider(options.Get("provider").As<Napi::Object>());
  load->blocks = {text(options, "driver"), load->options.provider.device,
                  read_memory_limit(options)};
  load->options.session_config = read_texts(options, "sessionConfig");
  return load;
}

Napi::Array to_js(Napi::Env env, const std::vector<TensorSpec>& specs) {
  Napi::Array list = Napi::Array::New(env, specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const TensorSpec& spec = specs[i];
    Napi::Object one = Napi::Object::New(env);
    Napi::Array dims = Napi::Array::New(env, spec.dims.size());
    Napi::Array symbols = Napi::Array::New(env, spec.dims.size());
    for (std::uint32_t d = 0; d < spec.dims.size(); ++d) {
      dims.Set(d, Napi::Number::New(env, static_cast<double>(spec.dims[d])));
      symbols.Set(d, Napi::String::New(env, d < spec.symbols.size() ? spec.symbols[d] : ""));
    }
    one.Set("name", Napi::String::New(env, spec.name));
    one.Set("type", Napi::String::New(env, std::string(type_name(spec.type))));
    one.Set("dims", dims);
    one.Set("symbols", symbols);
    list.Set(static_cast<std::uint32_t>(i), one);
  }
  return list;
}

}  // namespace

Napi::Function NativeModel::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {InstanceAccessor<&NativeModel::inputs>("inputs"),
                      InstanceAccessor<&NativeModel::outputs>("outputs"),
                      InstanceMethod<&NativeModel::release>("release")});
}

NativeModel::NativeModel(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeModel>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeModel is made by loadModel()");
  }
  model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
}

Napi::Value NativeModel::load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvRuntime& runtime = EnvRuntime::of(env);
  const std::shared_ptr<Load> load = read_load(info[0].As<Napi::Object>());
  const auto deferred = Napi::Promise::Deferred::New(env);
  runtime.run_job([load] { load->run(); },
                  [load, deferred](Napi::Env js) {
                    if (!load->result->ok()) {
                      deferred.Reject(load->error(js).Value());
                      return;
                    }
                    deferred.Resolve(of(js, load->result->value()));
                  });
  return deferred.Promise();
}

Napi::Object NativeModel::of(Napi::Env env, std::shared_ptr<Model> model) {
  return EnvRuntime::of(env).model_constructor.New(
      {Napi::External<std::shared_ptr<Model>>::New(env, &model)});
}

Napi::Value NativeModel::inputs(const Napi::CallbackInfo& info) {
  if (model_ == nullptr) return info.Env().Undefined();
  return to_js(info.Env(), model_->inputs());
}

Napi::Value NativeModel::outputs(const Napi::CallbackInfo& info) {
  if (model_ == nullptr) return info.Env().Undefined();
  return to_js(info.Env(), model_->outputs());
}

// Taking a large model down takes a while: not on this thread.
Napi::Value NativeModel::release(const Napi::CallbackInfo& info) {
  std::shared_ptr<Model> model = std::move(model_);
  if (model.use_count() == 1) {
    EnvRuntime::of(info.Env()).run_job([model = std::move(model)] {}, [](Napi::Env) {});
  }
  return info.Env().Undefined();
}

}  // namespace millrace

// The settings of ONNX Runtime's execution providers that may be given, and what each takes. It ignores those it does not
// know, or fails in the middle of a load: so they are checked here. Pointers are not among them, nor what the engine sets.
import { checkBoolean, checkInteger, checkOneOf, checkString, suggest } from '../check.ts'
import { definitionError } from './definition-error.ts'
import type { ProviderName } from './tier.ts'

/** What a setting takes: one of a few words, or anything of a kind. */
type Setting = readonly string[] | 'boolean' | 'integer' | 'text'
type Settings = Readonly<Record<string, Setting>>

const code = 'MILLRACE_INVALID_PIPELINE'
const cacheModes = ['disabled', 'lazyRelease', 'simple', 'bucket']

const webgpu: Settings = {
  dawnBackendType: ['Vulkan', 'D3D12'],
  defaultBufferCacheMode: cacheModes,
  enableGraphCapture: 'boolean',
  enableInt64: 'boolean',
  enablePIXCapture: 'boolean',
  enableRobustness: 'boolean',
  forceCpuNodeNames: 'text',
  kvCacheQuantizationBits: 'integer',
  maxNumPendingDispatches: 'integer',
  maxStorageBufferBindingSize: 'integer',
  multiRotaryCacheConcatOffset: 'integer',
  powerPreference: ['high-performance', 'low-power'],
  preferredLayout: ['NCHW', 'NHWC'],
  preserveDevice: 'boolean',
  queryResolveBufferCacheMode: cacheModes,
  sessionBufferPoolGenerations: 'integer',
  storageBufferCacheMode: cacheModes,
  uniformBufferCacheMode: cacheModes,
  validationMode: ['disabled', 'wgpuOnly', 'basic', 'full'],
}

const cuda: Settings = {
  arena_extend_strategy: ['kNextPowerOfTwo', 'kSameAsRequested'],
  cudnn_conv1d_pad_to_nc1d: 'boolean',
  cudnn_conv_algo_search: ['EXHAUSTIVE', 'HEURISTIC', 'DEFAULT'],
  cudnn_conv_use_max_workspace: 'boolean',
  do_copy_in_default_stream: 'boolean',
  enable_skip_layer_norm_strict_mode: 'boolean',
  fuse_conv_bias: 'boolean',
  gpu_mem_limit: 'integer',
  prefer_nhwc: 'boolean',
  sdpa_kernel: 'integer',
  tunable_op_enable: 'boolean',
  tunable_op_max_tuning_duration_ms: 'integer',
  tunable_op_tuning_enable: 'boolean',
  use_ep_level_unified_stream: 'boolean',
  use_tf32: 'boolean',
}

const tensorrt: Settings = {
  trt_auxiliary_streams: 'integer',
  trt_bf16_enable: 'boolean',
  trt_builder_optimization_level: 'integer',
  trt_context_memory_sharing_enable: 'boolean',
  trt_engine_cache_enable: 'boolean',
  trt_engine_cache_path: 'text',
  trt_engine_cache_prefix: 'text',
  trt_engine_hw_compatible: 'boolean',
  trt_force_timing_cache: 'boolean',
  trt_fp16_enable: 'boolean',
  trt_int8_enable: 'boolean',
  trt_layer_norm_fp32_fallback: 'boolean',
  trt_max_partition_iterations: 'integer',
  trt_max_workspace_size: 'integer',
  trt_min_subgraph_size: 'integer',
  trt_op_types_to_exclude: 'text',
  trt_profile_max_shapes: 'text',
  trt_profile_min_shapes: 'text',
  trt_profile_opt_shapes: 'text',
  trt_timing_cache_enable: 'boolean',
  trt_timing_cache_path: 'text',
}

/** By provider, its settings. */
const known: Readonly<Record<ProviderName, Settings>> = { cpu: {}, cuda, tensorrt, webgpu }

/** Settings of a provider, checked, as the texts that ONNX Runtime takes. */
export function checkProviderOptions(
  provider: ProviderName,
  given: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, string>> {
  const settings = known[provider]
  const entries = Object.entries(given).map(([key, value]) => {
    const setting = Object.hasOwn(settings, key) ? settings[key] : undefined
    if (setting !== undefined) return [key, textOf(value, setting, `${where}, ${key}`)] as const
    const advice = suggest(key, Object.keys(settings))
    throw definitionError(where, `"${provider}" has no setting "${key}"; ${advice}`)
  })
  return Object.freeze(Object.fromEntries(entries))
}

function textOf(value: unknown, setting: Setting, name: string): string {
  switch (setting) {
    case 'boolean':
      return checkBoolean(value, { name, code }) ? '1' : '0'
    case 'integer':
      return String(checkInteger(value, { name, code }))
    case 'text':
      return checkString(value, { name, code })
    default:
      return checkOneOf(value, { name, choices: setting, code })
  }
}

import type { NativeEngine, NativePipelineSpec } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import type { FunctionHosts } from './function-hosts.ts'

/** The hosts live as long as the core, or go at once where it does not start. */
export async function createNative(
  spec: NativePipelineSpec,
  hosts: FunctionHosts,
): Promise<NativeEngine> {
  try {
    const native = await loadAddon().createEngine(spec)
    hosts.belongTo(native)
    return native
  } catch (error) {
    await hosts.close()
    throw fromNative(error)
  }
}

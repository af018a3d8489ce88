import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Provider } from './diagnosis.ts'

const require = createRequire(import.meta.url)

interface Backend {
  readonly name: string
  readonly bundled: boolean
}

/** What onnxruntime-node says that it was built with; what is not in its package needs a library beside libonnxruntime. */
export function providers(libraryFile: string): readonly Provider[] {
  const { listSupportedBackends } = require('onnxruntime-node') as {
    readonly listSupportedBackends?: () => readonly Backend[]
  }
  return (listSupportedBackends?.() ?? []).map((backend) => providerOf(backend, libraryFile))
}

function providerOf({ name, bundled }: Backend, libraryFile: string): Provider {
  if (bundled) return { name, available: true, reason: 'built in' }
  const library = join(dirname(libraryFile), `libonnxruntime_providers_${name}.so`)
  const available = existsSync(library)
  return { name, available, reason: available ? library : `there is no ${library}` }
}

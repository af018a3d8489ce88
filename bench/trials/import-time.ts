/** What `import 'millrace'` adds to the life of a process that does nothing else. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { publishedPackage } from './published-package.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const dist = new URL('../../dist/index.js', import.meta.url).href

export const importTime: Trial = {
  name: 'import-time',
  measures: 'what importing the published package adds to a process that imports an empty module',
  unit: 'ms',
  target: { figure: 'ours', atMost: 40 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const { url } = await publishedPackage()
  const figures = await alternate(
    {
      empty: lifeMs('data:text/javascript,'),
      published: lifeMs(url),
      notBundled: lifeMs(dist),
      onnxruntime: lifeMs('onnxruntime-node'),
    },
    { rounds: quick ? 3 : 25, label: 'ms' },
  )
  const empty = median(figures.empty)
  const more = (side: keyof typeof figures) => median(figures[side]) - empty
  return [
    {
      ours: more('published'),
      reference: more('onnxruntime'),
      referenceName: 'importing onnxruntime-node, which loads its library at once',
      details: { emptyMs: empty, notBundledMs: more('notBundled'), rounds: figures },
    },
  ]
}

/** From the start of a process that imports a module to its end. */
function lifeMs(module: string): () => Promise<number> {
  const code = `import ${JSON.stringify(module)}`
  const args = ['--input-type=module', '--eval', code]
  // Where onnxruntime-node is found.
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  return async () => {
    const beganMs = performance.now()
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
    if (status !== 0) throw new Error(`importing ${module} failed: ${stderr}`)
    return performance.now() - beganMs
  }
}

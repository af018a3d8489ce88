// Writes the API reference, out of the docstrings, and the guides as pages: build/docs/index.html. Fails where anything in
// them is wrong, such as a link that leads nowhere; docs/README.md says what is made of what.
//   node scripts/docs.mjs
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readReference } from './docs/reference.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const to = join(root, 'build', 'docs')

const reference = await readReference({ root })
const problems = [...reference.problems, ...(await reference.write(to))]
for (const problem of problems) console.error(`docs: ${problem.replaceAll(root, '')}`)
if (problems.length > 0) {
  console.error(`docs: ${problems.length} problems; correct the docstrings or guides named above`)
  process.exitCode = 1
} else {
  console.log(`docs: ${join(relative(process.cwd(), to), 'index.html')}`)
}

// Copies what of the live page is not compiled, its HTML and its style, to where it is served from.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const to = join(root, 'dist', 'http', 'live-page')

mkdirSync(to, { recursive: true })
for (const file of ['page.html', 'page.css']) {
  copyFileSync(join(root, 'src', 'http', 'live-page', file), join(to, file))
}

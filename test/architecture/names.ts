// Names that say what a thing is, in the case that its language asks for.
import { isCode, isNative, isProduct } from './project.ts'

const SAYS_NOTHING = /^(utils?|commons?|helpers?|misc|types?|interfaces?)$/
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/
const SNAKE = /^[a-z0-9]+(_[a-z0-9]+)*$/

/** test/types/ holds the tests of the types: there the word is the idea. */
const ALLOWED: readonly string[] = ['test/types', 'test/types/types.test.ts']

export function emptyNames(paths: readonly string[]): readonly string[] {
  return paths.filter(isCode).filter((path) => {
    const parts = path.split('/')
    return parts.some((part, index) => {
      const stem = part.replace(/\..*$/, '')
      return SAYS_NOTHING.test(stem) && !ALLOWED.includes(parts.slice(0, index + 1).join('/'))
    })
  })
}

/** kebab-case for TypeScript, snake_case for C++, file and folders alike. */
export function wrongCase(paths: readonly string[]): readonly string[] {
  return paths
    .filter(isCode)
    .filter((path) => /^(src|native|scripts|test|bench|examples)\//.test(path))
    .filter((path) => {
      const wanted = isNative(path) ? SNAKE : KEBAB
      const parts = path.split('/')
      const stems = parts.map((part, index) =>
        index === parts.length - 1
          ? part.replace(/(\.test|\.test-d|\.bench|\.d)?\.\w+$/, '')
          : part,
      )
      return !stems.every((stem) => wanted.test(stem))
    })
}

/** Folders of src/ and native/ that hold code and no README.md to say what they are for. */
export function foldersWithoutReadme(paths: readonly string[]): readonly string[] {
  const present = new Set(paths)
  const folders = paths
    .filter((path) => isProduct(path) && isCode(path) && /^(src|native)\/.+\//.test(path))
    .map((path) => path.slice(0, path.lastIndexOf('/')))
  return [...new Set(['native', ...folders])].filter(
    (folder) => !present.has(`${folder}/README.md`),
  )
}

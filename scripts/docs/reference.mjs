// The API reference, made by TypeDoc: read out of the public doors, checked, and written as pages.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Converter, Logger, LogLevel, OptionDefaults, TSConfigReader } from 'typedoc'

/** @typedef {import('typedoc').DocumentReflection} DocumentReflection */

/**
 * @typedef {object} Manifest
 * @property {string} version
 * @property {Record<string, string | { types: string }>} exports
 * @property {string | { url: string }} [repository]
 */

/**
 * Types that public signatures name and users do not write: what the compiler sees a misspelt reference by, and what is
 * common to public types and shown in each of them.
 */
const notForUsers = [
  'AfterRequest',
  'Arrivals',
  'EngineNames',
  'PipelineNamed',
  'ReferencesIn',
  'ReferenceTo',
  'StageBase',
  'StageNames',
  'TensorsFor',
  'WiredStages',
]

/** What TypeDoc complains of; it goes on, and so do we. */
class Complaints extends Logger {
  /** @type {string[]} */
  texts = []

  /** @param {string} message @param {LogLevel} level @override */
  log(message, level) {
    super.log(message, level)
    if (level >= LogLevel.Warn) this.texts.push(message)
  }

  /**
   * With the place, for whoever is to correct it.
   *
   * @param {string} message
   * @param {LogLevel} _level
   * @param {any[]} place a node, or a position and a file
   * @override
   */
  addContext(message, _level, ...place) {
    const [at, file = at?.getSourceFile?.()] = place
    if (file === undefined) return message
    const position = typeof at === 'number' ? at : at.getStart(file)
    return `${file.fileName}:${file.getLineAndCharacterOfPosition(position).line + 1}: ${message}`
  }
}

/**
 * Reads the public doors, or other files in their place, which then are of the project of another `tsconfig`.
 *
 * @param {{ root: string, tsconfig?: string, entryPoints?: string[] }} options
 * @returns the project as TypeDoc has it, what is wrong with it, and what writes it to a folder and says what was wrong then
 */
export async function readReference({ root, tsconfig, entryPoints }) {
  const complaints = new Complaints()
  const app = await Application.bootstrap(
    {
      name: 'Millrace',
      displayBasePath: root,
      tsconfig: tsconfig ?? join(root, 'tsconfig.build.json'),
      entryPoints: entryPoints ?? doorSources(root),
      alwaysCreateEntryPointModule: true,
      // Of the whole project `npm run lint` sees to.
      skipErrorChecking: true,
      projectDocuments: guides(root),
      readme: join(root, 'docs', 'reference.md'),
      highlightLanguages: [...OptionDefaults.highlightLanguages, 'python', 'toml'],
      // Of Triton's configuration; nothing highlights it.
      ignoredHighlightLanguages: ['pbtxt'],
      sort: ['kind', 'alphabetical'],
      excludeExternals: true,
      includeVersion: true,
      githubPages: false,
      hideGenerator: true,
      intentionallyNotExported: notForUsers,
      validation: {
        notExported: true,
        invalidLink: true,
        invalidPath: true,
        rewrittenLink: true,
        notDocumented: false,
        unusedMergeModuleWith: true,
      },
      ...sourceLinks(root),
    },
    [new TSConfigReader()],
  )
  app.logger = complaints
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    document.name = titleOf(document) ?? document.name
  })
  const project = await app.convert()
  if (project === undefined) throw new Error(`TypeDoc failed: ${complaints.texts.join('\n')}`)
  app.validate(project)
  return {
    project,
    problems: complaints.texts.splice(0),
    /** @param {string} to */
    async write(to) {
      await app.generateDocs(project, to)
      return complaints.texts.splice(0)
    },
  }
}

/** The files from which the doors of package.json are built. @param {string} root */
function doorSources(root) {
  return Object.values(manifestOf(root).exports).flatMap((door) => {
    if (typeof door === 'string') return []
    return [join(root, door.types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'))]
  })
}

/** @param {string} root */
function guides(root) {
  const folder = join(root, 'docs', 'guides')
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
    return names.map((name) => join(folder, name))
  } catch {
    return []
  }
}

/** A guide is called by its first heading, as a reader of the file sees it. @param {DocumentReflection} document */
function titleOf({ content }) {
  const [first] = content
  return first?.kind === 'text' ? /^\s*# +(.+)/.exec(first.text)?.[1]?.trim() : undefined
}

/** Where package.json has a repository, each symbol leads to its line there. @param {string} root */
function sourceLinks(root) {
  const { repository, version } = manifestOf(root)
  const url = typeof repository === 'object' ? repository.url : repository
  if (url === undefined) return { disableSources: true }
  const page = url.replace(/^git\+/, '').replace(/\.git$/, '')
  return {
    disableGit: true,
    gitRevision: `v${version}`,
    sourceLinkTemplate: `${page}/blob/{gitRevision}/{path}#L{line}`,
  }
}

/** @param {string} root @returns {Manifest} */
function manifestOf(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

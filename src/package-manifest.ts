import { readFileSync } from 'node:fs'
import { packageFile } from './package-file.ts'

/** As much of package.json as the code asks for. */
export interface PackageManifest {
  readonly version: string
  readonly engines: { readonly node: string }
  /** In a checkout only: what platform packages are made for. */
  readonly napi?: { readonly packageName: string; readonly targets: readonly string[] }
  readonly dependencies: Readonly<Record<string, string>>
}

/** Our package.json. Read at each call: nobody calls it often. */
export function packageManifest(): PackageManifest {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageManifest
}

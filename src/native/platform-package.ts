/** The platforms that a package with a built addon is published for; package.json's `napi.targets` are the same. */
export const platformPackages: Readonly<Record<string, string>> = {
  'linux x64': '@millrace/addon-linux-x64-gnu',
  'linux arm64': '@millrace/addon-linux-arm64-gnu',
  'darwin arm64': '@millrace/addon-darwin-arm64',
  'win32 x64': '@millrace/addon-win32-x64-msvc',
}

/** What decides which addon fits. */
export interface Platform {
  readonly platform: string
  readonly arch: string
  /** Of Linux: which C library, with its version where it is known, such as `glibc 2.36`. */
  readonly libc: string | undefined
}

/** The package for a platform; undefined where there is none, as for Linux with musl. */
export function platformPackage({ platform, arch, libc }: Platform): string | undefined {
  if (libc?.startsWith('musl')) return undefined
  return platformPackages[`${platform} ${arch}`]
}

/** `linux x64 (glibc 2.36)`. */
export function platformText({ platform, arch, libc }: Platform): string {
  return `${platform} ${arch}${libc === undefined ? '' : ` (${libc})`}`
}

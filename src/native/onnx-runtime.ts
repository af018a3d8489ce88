// Finds the ONNX Runtime library that the onnxruntime-node package ships: ours is that very file, so that an application
// which also uses onnxruntime-node has one copy in the process.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { MillraceError } from '../errors.ts'

const require = createRequire(import.meta.url)

/** The version whose C interface the core was written for; package.json asks for the same. */
export const onnxRuntimeVersion = '1.30.0'

const fileNames: Readonly<Record<string, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: `libonnxruntime.${onnxRuntimeVersion}.dylib`,
  win32: 'onnxruntime.dll',
}

/**
 * Absolute path of libonnxruntime for this platform.
 *
 * @throws {MillraceError} MILLRACE_NATIVE_LOAD when the package is missing, of another version, or has no such file.
 */
export function findOnnxRuntime(): string {
  const manifestPath = resolveManifest()
  const { version } = require(manifestPath) as { version: string }
  if (version !== onnxRuntimeVersion) {
    throw failure(
      `expected onnxruntime-node ${onnxRuntimeVersion}, found ${version} at ${manifestPath}`,
      `npm install onnxruntime-node@${onnxRuntimeVersion}`,
    )
  }
  const name = fileNames[process.platform]
  const folder = join(dirname(manifestPath), 'bin', 'napi-v6', process.platform, process.arch)
  const path = join(folder, name ?? '')
  if (name === undefined || !existsSync(path)) {
    throw failure(
      `onnxruntime-node ${version} has no library for ${process.platform} ${process.arch} (looked in ${folder})`,
      'use a platform it supports, or reinstall it',
    )
  }
  return path
}

function resolveManifest(): string {
  try {
    return require.resolve('onnxruntime-node/package.json')
  } catch {
    throw failure(
      'the package onnxruntime-node is not installed',
      `npm install onnxruntime-node@${onnxRuntimeVersion} --onnxruntime-node-install=skip`,
    )
  }
}

function failure(problem: string, remedy: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_NATIVE_LOAD', message: `${problem}; ${remedy}` })
}

// What a file lets in and out: no `any`, no silenced compiler, no open doors.
import { posix } from 'node:path'
import ts from 'typescript'
import { parse, visit } from './imports.ts'
import type { SourceFile } from './project.ts'

export const MAX_POSITIONAL_ARGUMENTS = 2

export function openExports(file: SourceFile): readonly string[] {
  const opens = (node: ts.Node): boolean =>
    ts.isExportDeclaration(node) && !(node.exportClause && ts.isNamedExports(node.exportClause))
  return places(file, opens, 'export *')
}

export function anyTypes(file: SourceFile): readonly string[] {
  return places(file, (node) => node.kind === ts.SyntaxKind.AnyKeyword, 'any')
}

export function silencedErrors(file: SourceFile): readonly string[] {
  const allowed = file.path.startsWith('test/') ? /@ts-(ignore|nocheck)\b/ : /@ts-\w+/
  return file.text
    .split('\n')
    .flatMap((line, index) =>
      /^\s*(\/\/|\/?\*)/.test(line) && allowed.test(line)
        ? [`${file.path}:${index + 1} ${line.trim()}`]
        : [],
    )
}

/** By file, the names that src/index.ts lets out. */
export function publicNames(index: SourceFile): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>()
  visit(parse(index), (node) => {
    if (!ts.isExportDeclaration(node) || !node.moduleSpecifier) return
    if (!node.exportClause || !ts.isNamedExports(node.exportClause)) return
    const module = (node.moduleSpecifier as ts.StringLiteral).text
    const path = posix.join(posix.dirname(index.path), module)
    const exported = node.exportClause.elements.map((item) => (item.propertyName ?? item.name).text)
    names.set(path, [...(names.get(path) ?? []), ...exported])
  })
  return names
}

/** Of the functions named, and of the public methods of the classes named. */
export function longArgumentLists(file: SourceFile, names: readonly string[]): readonly string[] {
  const isNamed = (node: ts.Node): boolean =>
    (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) &&
    names.includes(node.name?.text ?? '')
  const isLong = (node: ts.Node): boolean =>
    (ts.isFunctionDeclaration(node) && isNamed(node) && takesTooMany(node)) ||
    ((ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node)) &&
      isNamed(node.parent) &&
      isPublic(node) &&
      takesTooMany(node))
  return places(file, isLong, `more than ${MAX_POSITIONAL_ARGUMENTS} positional arguments`)
}

function takesTooMany({ parameters }: ts.SignatureDeclaration): boolean {
  const positional = parameters.filter(({ dotDotDotToken }) => !dotDotDotToken)
  return positional.length > MAX_POSITIONAL_ARGUMENTS
}

function isPublic(node: ts.MethodDeclaration | ts.ConstructorDeclaration): boolean {
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword]
  return (
    !hidden.some((kind) => has(node, kind)) && !(node.name && ts.isPrivateIdentifier(node.name))
  )
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false
}

function places(
  file: SourceFile,
  wanted: (node: ts.Node) => boolean,
  what: string,
): readonly string[] {
  const source = parse(file)
  const found: string[] = []
  visit(source, (node) => {
    if (!wanted(node)) return
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
    found.push(`${file.path}:${line + 1} ${what}`)
  })
  return found
}

// What users can name, one by one, with what its docstring says: as TypeDoc reads it out of the public doors.
import {
  type Comment,
  type CommentDisplayPart,
  type DeclarationReflection,
  type ParameterReflection,
  type ProjectReflection,
  ReflectionKind,
  type SignatureReflection,
  type SomeType,
} from 'typedoc'

export interface PublicSymbol {
  /** Such as `Engine`, `Engine.scale`, `Engine.scale(replicas)`, `ReplayProgress.sent`. */
  readonly name: string
  readonly kind: 'door' | 'type' | 'function' | 'constructor' | 'method' | 'value' | 'parameter'
  /** What the docstring says, without its @throws and @param; empty where there is none. */
  readonly text: string
  /** What its @throws say. */
  readonly throws: string
  /** May be left out, or be undefined. */
  readonly mayBeAbsent: boolean
  readonly mayBeNull: boolean
  /** Is a number, holds numbers, or results in one. */
  readonly isNumber: boolean
  readonly returnsPromise: boolean
  /** Its type has a name in the reference, where what it is is said. */
  readonly isOfPublicType: boolean
  readonly parameters: number
}

/** Every symbol of the doors; what several doors let out is there once. */
export function publicSymbols({ children = [] }: ProjectReflection): readonly PublicSymbol[] {
  return children
    .filter((door) => door.kindOf(ReflectionKind.Module))
    .flatMap((door) => [
      symbolOf(door, { name: door.name, kind: 'door' }),
      ...(door.children ?? []).flatMap((child) => declared(child, '')),
    ])
}

function declared(reflection: DeclarationReflection, owner: string): readonly PublicSymbol[] {
  // Said where it is declared, which is public as well.
  if (reflection.inheritedFrom?.reflection !== undefined) return []
  const name = owner === '' ? reflection.name : `${owner}.${reflection.name}`
  const { signatures = [], getSignature, children = [], type } = reflection
  if (reflection.kindOf(ReflectionKind.Reference)) return []
  if (getSignature !== undefined) return [symbolOf(getSignature, { name, kind: 'value' })]
  const isType = reflection.kindOf([
    ReflectionKind.Class,
    ReflectionKind.Interface,
    ReflectionKind.TypeAlias,
  ])
  if (signatures.length > 0 && !isType) return signatures.flatMap((each) => called(each, name))
  const own = symbolOf(reflection, { name, kind: isType ? 'type' : 'value' })
  // What a constant is made of is not what its type declares.
  const nested = reflection.kindOf(ReflectionKind.Variable) ? [] : within(type, name)
  return [own, ...children.flatMap((child) => declared(child, name)), ...nested]
}

function called(signature: SignatureReflection, name: string): readonly PublicSymbol[] {
  const { parameters = [], type } = signature
  const kind = kindOf(signature)
  return [
    symbolOf(signature, { name, kind }),
    ...parameters.flatMap((parameter) => {
      const place = `${name}(${parameter.name})`
      return [
        symbolOf(parameter, { name: place, kind: 'parameter' }),
        ...within(parameter.type, place),
      ]
    }),
    ...(kind === 'constructor' ? [] : within(type, `${name}()`)),
  ]
}

function kindOf({ parent }: SignatureReflection): PublicSymbol['kind'] {
  if (parent.kindOf(ReflectionKind.Constructor)) return 'constructor'
  return parent.kindOf(ReflectionKind.Function) ? 'function' : 'method'
}

/** The members of object types that are written in place. */
function within(type: SomeType | undefined, name: string): readonly PublicSymbol[] {
  switch (type?.type) {
    case 'reflection':
      return (type.declaration.children ?? []).flatMap((child) => declared(child, name))
    case 'reference':
      return (type.typeArguments ?? []).flatMap((each) => within(each, name))
    case 'union':
    case 'intersection':
      return type.types.flatMap((each) => within(each, name))
    case 'array':
      return within(type.elementType, name)
    case 'typeOperator':
      return within(type.target, name)
    default:
      return []
  }
}

type Documented = DeclarationReflection | SignatureReflection | ParameterReflection

function symbolOf(
  reflection: Documented,
  { name, kind }: Pick<PublicSymbol, 'name' | 'kind'>,
): PublicSymbol {
  const { type, flags } = reflection
  const comment = reflection.comment ?? commentOfFunction(type)
  const isDefaulted =
    kind === 'parameter' && 'defaultValue' in reflection && reflection.defaultValue !== undefined
  return {
    name,
    kind,
    text: textOf(comment),
    throws: throwsOf(comment),
    mayBeAbsent:
      (kind === 'value' || kind === 'parameter') &&
      (flags.isOptional || isDefaulted || holds(type, 'undefined')),
    mayBeNull: kind === 'value' && holds(type, 'null'),
    isNumber: kind !== 'type' && isNumber(type),
    returnsPromise: type?.type === 'reference' && type.name === 'Promise',
    isOfPublicType: isOfPublicType(type),
    parameters: 'parameters' in reflection ? (reflection.parameters?.length ?? 0) : 0,
  }
}

/** TypeDoc moves what is said of a function type to its signature. */
function commentOfFunction(type: SomeType | undefined): Comment | undefined {
  return type?.type === 'reflection' ? type.declaration.signatures?.[0]?.comment : undefined
}

function textOf(comment: Comment | undefined): string {
  if (comment === undefined) return ''
  const told = comment.blockTags.filter(({ tag }) => !['@throws', '@param'].includes(tag))
  return [comment.summary, ...told.map(({ content }) => content)].map(plain).join('\n').trim()
}

function throwsOf(comment: Comment | undefined): string {
  const tags = comment?.blockTags.filter(({ tag }) => tag === '@throws') ?? []
  return tags.map(({ content }) => plain(content)).join('\n')
}

function plain(parts: readonly CommentDisplayPart[]): string {
  return parts.map(({ text }) => text).join('')
}

function holds(type: SomeType | undefined, what: 'undefined' | 'null'): boolean {
  if (type?.type === 'union') return type.types.some((each) => holds(each, what))
  if (type?.type === 'literal') return what === 'null' && type.value === null
  return type?.type === 'intrinsic' && type.name === what
}

function isNone(type: SomeType): boolean {
  return holds(type, 'undefined') || holds(type, 'null')
}

const numberLists = ['Float64Array', 'ArrayLike', 'Iterable', 'Readonly', 'Record', 'Partial']

function isNumber(type: SomeType | undefined): boolean {
  switch (type?.type) {
    case 'intrinsic':
      return type.name === 'number'
    case 'union':
      return type.types.some(isNumber) && type.types.every((each) => isNumber(each) || isNone(each))
    case 'array':
      return isNumber(type.elementType)
    case 'typeOperator':
      return isNumber(type.target)
    case 'reference':
      if (!numberLists.includes(type.name) || type.reflection !== undefined) return false
      return type.typeArguments?.some(isNumber) ?? true
    default:
      return false
  }
}

/** Of one type of the reference, or of its own type parameter, or of several of these. */
function isOfPublicType(type: SomeType | undefined): boolean {
  switch (type?.type) {
    case 'union':
      return type.types.every((each) => holds(each, 'undefined') || isOfPublicType(each))
    case 'array':
      return isOfPublicType(type.elementType)
    case 'typeOperator':
      return isOfPublicType(type.target)
    case 'reference':
      return type.reflection !== undefined || type.refersToTypeParameter
    default:
      return false
  }
}

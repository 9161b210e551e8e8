/**
 * A writer schema as a tree of nodes, for the walker. Logical types are their physical types here: the bytes are the same. Their
 * name is kept where the type is a primitive one, for whoever must know what others make of the bytes.
 */
export type SchemaNode =
  | {
      readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'
      readonly logicalType?: string
    }
  | { readonly kind: 'fixed'; readonly name: string; readonly size: number }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array' | 'map'; readonly items: SchemaNode }
  | { readonly kind: 'union'; readonly branches: readonly SchemaNode[] }
  | RecordNode

export interface RecordNode {
  readonly kind: 'record'
  readonly name: string
  /** Filled after the node is made, so that a record may refer to itself. */
  readonly fields: { readonly name: string; readonly node: SchemaNode }[]
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/** Reads a schema's JSON. Throws an Error that names the part that is not Avro. */
export function parseSchema(schema: unknown): SchemaNode {
  return readNode(schema, new Map(), '')
}

type Named = Map<string, SchemaNode>

function readNode(schema: unknown, named: Named, namespace: string): SchemaNode {
  if (typeof schema === 'string') {
    if (primitives.has(schema)) {
      return { kind: schema } as SchemaNode
    }
    const known = named.get(fullName(schema, namespace)) ?? named.get(schema)
    if (known === undefined) {
      throw new Error(`schema names the type "${schema}", which it does not define`)
    }
    return known
  }
  if (Array.isArray(schema)) {
    return { kind: 'union', branches: schema.map((branch) => readNode(branch, named, namespace)) }
  }
  if (typeof schema !== 'object' || schema === null) {
    throw new Error(`schema holds ${JSON.stringify(schema)} where a type belongs`)
  }
  return readComplex(schema as Record<string, unknown>, named, namespace)
}

function readComplex(schema: Record<string, unknown>, named: Named, namespace: string): SchemaNode {
  const { type } = schema
  switch (type) {
    case 'array':
      return { kind: 'array', items: readNode(schema['items'], named, namespace) }
    case 'map':
      return { kind: 'map', items: readNode(schema['values'], named, namespace) }
    case 'fixed': {
      const size = schema['size']
      if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
        throw new Error(`fixed type ${String(schema['name'])} has no size`)
      }
      return define(schema, named, namespace, { kind: 'fixed', name: String(schema['name']), size })
    }
    case 'enum': {
      const symbols = (schema['symbols'] as string[] | undefined) ?? []
      return define(schema, named, namespace, { kind: 'enum', name: String(schema['name']), symbols })
    }
    case 'record':
    case 'error': {
      const node: RecordNode = { kind: 'record', name: String(schema['name']), fields: [] }
      define(schema, named, namespace, node)
      const inner = namespaceOf(schema, namespace)
      for (const field of (schema['fields'] as { name: string; type: unknown }[] | undefined) ?? []) {
        node.fields.push({ name: field.name, node: readNode(field.type, named, inner) })
      }
      return node
    }
    default: {
      const { logicalType } = schema
      return typeof logicalType === 'string' && typeof type === 'string' && primitives.has(type)
        ? ({ kind: type, logicalType } as SchemaNode)
        : readNode(type, named, namespace)
    }
  }
}

function define(schema: Record<string, unknown>, named: Named, namespace: string, node: SchemaNode): SchemaNode {
  named.set(fullName(String(schema['name']), namespaceOf(schema, namespace)), node)
  return node
}

function namespaceOf(schema: Record<string, unknown>, outer: string): string {
  const name = String(schema['name'])
  if (name.includes('.')) {
    return name.slice(0, name.lastIndexOf('.'))
  }
  return typeof schema['namespace'] === 'string' ? schema['namespace'] : outer
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

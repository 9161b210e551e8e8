import type { SchemaNode } from '../../services/shared/domain/avro-schema.ts'
import type { Found } from '../support/avro-reference.ts'

/** Whether avro-js' value is what the reference found: to the last bit of a long, NaN for NaN, -0 for -0. */
export function isSame(found: Found, theirs: unknown): boolean {
  const mine = found.value
  if (mine === null || typeof mine !== 'object') {
    return Object.is(mine, theirs)
  }
  if (Buffer.isBuffer(mine)) {
    return Buffer.isBuffer(theirs) && mine.equals(theirs)
  }
  if ('branch' in mine) {
    return mine.inner.node.kind === 'null' ? theirs === null : isSame(mine.inner, unwrapped(mine.inner.node, theirs))
  }
  if ('items' in mine) {
    return (
      Array.isArray(theirs) &&
      theirs.length === mine.items.length &&
      mine.items.every((item, index) => isSame(item, theirs[index]))
    )
  }
  const isMap = 'entries' in mine
  // A map's value is a plain object to avro-js: the key "__proto__" sets its prototype, or nothing.
  const inner = [...(isMap ? mine.entries : mine.fields)].filter(([key]) => !isMap || key !== '__proto__')
  const object = theirs as Record<string, unknown>
  return Object.keys(object).length === inner.length && inner.every(([key, value]) => isSame(value, object[key]))
}

/** A union's value without avro-js' wrapper, whose one key is the branch's full name; undefined when it is another branch's. */
export function unwrapped(branch: SchemaNode, wrapped: unknown): unknown {
  const [key, ...others] = Object.keys(wrapped as object)
  const name = 'name' in branch ? branch.name : branch.kind
  const isThis = others.length === 0 && key!.split('.').at(-1) === name.split('.').at(-1)
  return isThis ? (wrapped as Record<string, unknown>)[key!] : undefined
}

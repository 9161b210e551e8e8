/** `identifier` a-z 0-9 _; `upper` A-Z; `tag` letters, digits and -; `printable` ASCII 33 to 126. */
export type Alphabet = 'identifier' | 'upper' | 'tag' | 'printable'

export const alphabetPatterns: Record<Alphabet, RegExp> = {
  identifier: /^[a-z0-9_]*$/,
  upper: /^[A-Z]*$/,
  tag: /^[A-Za-z0-9-]*$/,
  printable: /^[\x21-\x7e]*$/,
}

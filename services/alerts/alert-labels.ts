/**
 * Labels and annotations as Alertmanager takes them: names of [a-zA-Z_][a-zA-Z0-9_]*, no empty values (Alertmanager drops
 * those, so an alert with and one without would be the same). Sorted by name.
 *
 * Where two names become one ('a-b' and 'a.b'), the later one gets a number: to drop it would make one alert of two cohorts.
 */
export function cleanLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const given = Object.entries(labels).filter(([, value]) => value !== '')
  // Names that are right as they stand come first, so that they keep themselves.
  const inOrder = given.sort(([a], [b]) => Number(isLabelName(b)) - Number(isLabelName(a)) || (a < b ? -1 : 1))
  const clean = new Map<string, string>()
  for (const [name, value] of inOrder) {
    const wanted = cleanName(name)
    let free = wanted
    for (let copy = 2; clean.has(free); copy++) {
      free = `${wanted}_${copy}`
    }
    // Half of a surrogate pair is no UTF-8, and Alertmanager refuses the whole alert for it.
    clean.set(free, value.toWellFormed())
  }
  return Object.fromEntries([...clean].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

function cleanName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_]/g, '_')
  return isLabelName(clean) ? clean : `_${clean}`
}

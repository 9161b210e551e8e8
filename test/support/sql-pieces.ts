/** What may stand in the text of a statement: names of our own, and pieces of SQL that the same file wrote. */
export const sqlPieces = new Set([
  ...['database', 'deps.database', 'options.database', 'store.database', 'deps.store.database', 'stagingDatabase'],
  // A setting; its pattern lets through intent_ledger and lower case letters, digits and _ after it.
  ...['settings.CLICKHOUSE_DATABASE', 'viewsDatabase(database)', 'onCluster'],
  ...["options.cluster === undefined ? '' : 'Replicated'"],
  // Tables and columns of the stream's definition, fates, roll-ups, and names drawn by us.
  ...['table', 'target', 'raw', 'staging', 'fate', 'insert.table', 'options.table ?? insert.table', 'stream.table'],
  ...['deps.stream.table', 'rollup.table', "insert.columns.join(', ')", "insert.select.join(', ')", 'insert.structure'],
  ...['using', 'select', 'source'],
  ...["names.map((name) => `raw_${name} != rollup_${name}`).join(' OR ')"],
  ...["names.map((name) => `toString(raw_${name}) AS r_${name}, toString(rollup_${name}) AS u_${name}`).join(', ')"],
  // Conditions, whose values are parameters.
  ...[
    'range',
    'ofRange',
    'ofLedgerRange',
    'inPart',
    'became',
    "fates.join(' UNION ALL ')",
    'options.where',
    "where.join(' AND ')",
  ],
  ...["where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`"],
  // A view's name, order and the names of its parameters from one closed list; values are parameters.
  ...['call', 'order', 'views', 'exportFormatNames[format]'],
  // What ClickHouse itself answered: a month as a number, the id of a partition.
  ...['month', 'partition_id'],
  // The alerts' sums: expressions of the same file by a rule's dimensions, measure and window, each from a closed list; what a rule
  // filters by is a parameter.
  ...[
    "hits.map(([, name]) => name).join(', ')",
    'keys(family)',
    'bucket',
    'x',
    'y',
    'filtered(family)',
    'daysOf(family)',
  ],
  ...["windowOf(family, 'day')", "windowOf(family, 'occurred_at')", "windowOf(family, 'recorded_at')"],
  ...["filterBy.map((dimension) => columnOf[dimension]).join(', ')", "asked.join(', ')", 'windowMs[family.window]'],
  ...['columns(family.filterBy)', 'columns(family.by)', 'count', 'cells', 'rejected', 'requestsOnly'],
  ...["part('intent_events', 0)", "part('duplicate_events', 0)", "part('rejected_events', 1)"],
  // Samples to be audited: expressions of the same file, by a way to draw from a closed list.
  ...['sample', 'inWindow', 'columns', 'isCalled', 'called'],
  // The made history of the alert demo: numbers and names that it has itself, names quoted by `strings`; and the demo's own
  // databases, as ClickHouse lists them.
  ...['name', 'dimensions(cohorts)', 'taxonomyVersion', 'householdDays(tables)', 'restClass', 'poisson'],
  ...['notARequestShare', 'unclassifiedShare', 'products', 'slices', 'cell', 'sets(cells)', 'seed', 'activeShare'],
  ...['numbers(cells.map(({ bought }) => bought))', 'numbers(cells.map(({ requests }) => requests))'],
  ...['numbers(cells.flatMap(({ parts }) => parts))', 'numbers(cells.map(({ direct }) => direct))'],
  ...['numbers(cells.map(({ rest }) => rest))', 'numbers(tastes)', 'numbers(buyers)', 'days[0]!', 'days.at(-1)! + 1'],
  ...['numbers(weightUpTo.slice(0, -1))', 'cohorts.months.length', 'cohorts.prime', 'rateMedian', 'rateSigma'],
  ...['strings(Object.keys(cohorts.countries))', 'numbers([0, ...upTo])', 'numbers(upTo)', 'upTo.at(-1)!'],
  // The audit of roll-ups: keys and sums of its list (services/shared/pipeline/rollups.ts), statements of our own inside each other.
  ...["rawSums.join(', ')", 'none', "sums.join(', ')", "sides.join(' UNION ALL ')"],
  ...['rawKeys', 'rawSums', 'rolledKeys', 'rolledSums'],
  // A replay: tables, columns and keys of the stream and of its roll-ups, and the ranges of the log, whose numbers are parameters
  // named by their place.
  ...['source.database', 'within.sql', 'within', 'where', 'from', 'rows', 'sums', 'keys', 'at', 'rollup.where'],
  ...["[keys, ...measures, ...householdsOf(rollup, 'uniqCombined64Merge(r.households)')].join(', ')"],
  ...["[...keys, ...measures, ...householdsOf(rollup, 'uniqCombined64(household)')].join(', ')"],
  ...["parts.map((part) => `(${part})`).join(' OR ')", "rollup.keys.join(', ')", "columns.join(', ')"],
  ...["cluster === undefined ? '' : 'Replicated'", 'redrivenCopies(database)'],
  // A profit and loss: expressions of the same file over its own columns.
  ...['devices(database)', 'sold', "month('since')", "month('greatest(since, back_on)')", "month('cohort_month')"],
  ...["month('day')", "month('min(since)')", "month('toDate(step.1)')"],
  // Credits of orders: statements of our own inside each other, expressions of the same file by methods, fates and dimensions from
  // closed lists, and whole numbers of ours.
  ...['creditedOrders(database)', 'ordersWithOwners(database)', 'shapleyWeights(database)', 'refundedLines(database)'],
  ...['devicesByHousehold(database)', 'householdDays(database)', 'householdsWithoutDevices(database)'],
  ...['worths(database)', 'margins(database)', 'owners(database, by)', "ownedOn('toDate(ordered_at)')"],
  ...[
    "ownedOn('span.1')",
    "ownedOn('{to:Date}')",
    'creditSums()',
    'statement',
    'fates',
    'credits',
    'dimensions',
    'cohort',
    'line',
    'year',
    'day',
  ],
  ...['sharesWhole', 'ownedMax', "creditMethods.map(sharedOut).join(', ')"],
  ...["creditMethods.map((method) => `toInt128(margin_micros) AS ${method}_sum`).join(', ')"],
  ...["creditMethods.map((method) => `${method}_sum != margin_micros`).join(' OR ')"],
  ...["creditMethods.map((method) => `toString(${method}_total) AS ${method}`).join(', ')"],
  ...["creditMethods.map((method) => `sum(${method}_sum) AS ${method}_total`).join(', ')"],
  ...["creditMethods.map((method) => `${method}_total != raw.margin_micros`).join(' OR ')"],
  "creditMethods.map((method) => `${method}_micros[indexOf(${method}_products, product)] AS ${method}_credit`).join(', ')",
  // The demo's sentences.
  ...['window.from', 'window.to'],
])

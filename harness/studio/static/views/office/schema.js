// A request's JSON schema read as a form: what kind of field each property is, what is wrong with what is written by the
// schema alone, and the request that the form makes. The service decides; this only spares a round trip.

const UNNUMBERED = "-"; // of a document that has no number: what the service takes where none is written

/** A schema without $ref and without "or null". `free` is true where null, or nothing, may stand. */
export function plain(schema, defs) {
  let own = schema;
  let free = false;
  for (;;) {
    if (own.$ref) own = { ...defs[own.$ref.split("/").at(-1)], ...without(own, "$ref") };
    else if (own.anyOf) {
      const kinds = own.anyOf.filter((one) => one.type !== "null");
      free ||= kinds.length < own.anyOf.length;
      const outside = without(own, "anyOf");
      if (kinds.length > 1) return { ...outside, kinds, free };
      own = { ...kinds[0], ...outside };
    } else return { ...own, free };
  }
}

function without(object, name) {
  const { [name]: _, ...rest } = object;
  return rest;
}

/** What a property is on a form. */
export function kindOf(spec) {
  if (spec.kinds) return spec["x-words"] ? "many" : "text";
  if (spec.type === "object") return "group";
  if (spec.type === "array") return spec["x-words"] || spec.items?.$ref === undefined || spec.words ? "many" : "list";
  if (spec.type === "boolean") return "flag";
  if (spec.type === "integer") return "number";
  if (spec.format === "password") return "secret";
  if (spec.format === "date") return "date";
  if (spec.format === "binary") return "file";
  return spec.enum ? "choice" : "text";
}

/** The fields of a group, in order: {name, spec, kind, needed}. */
export function fields(schema, defs) {
  return Object.entries(schema.properties ?? {}).map(([name, own]) => {
    const spec = plain(own, defs);
    const items = spec.items && plain(spec.items, defs);
    if (items?.enum) spec["x-words"] ??= items["x-words"];
    return { name, spec, items, kind: kindOf(spec), needed: (schema.required ?? []).includes(name) };
  });
}

/** What a form begins with: defaults of the schema, and nothing else. */
export function first(schema, defs) {
  const value = {};
  for (const { name, spec, kind, needed } of fields(schema, defs)) {
    if (kind === "group") value[name] = needed ? first(spec, defs) : undefined;
    else if (kind === "many") value[name] = spec.default ?? [];
    else if (kind === "list") value[name] = [];
    else if (spec.default !== null && spec.default !== undefined && spec.default !== UNNUMBERED) value[name] = spec.default;
  }
  return value;
}

/** A request as its form has it: with the defaults of what it leaves out. */
export function filled(schema, defs, value) {
  const whole = { ...first(schema, defs), ...value };
  for (const { name, spec, items, kind } of fields(schema, defs)) {
    if (value[name] === undefined) continue;
    if (kind === "group") whole[name] = filled(spec, defs, value[name]);
    if (kind === "list") whole[name] = value[name].map((one) => filled(items, defs, one));
  }
  return whole;
}

/** The request: what is empty is left out. */
export function request(value) {
  if (Array.isArray(value)) return value.map(request);
  if (value === null || typeof value !== "object") return value;
  const made = {};
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one === null || one === "" || (Array.isArray(one) && !one.length)) continue;
    made[name] = request(one);
  }
  return made;
}

/** What is wrong with one value by its schema: the name of a text and what it is filled with; null where nothing is. */
export function wrong({ spec, kind, needed }, value) {
  const empty = value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
  if (empty) return needed ? ["office.must_be_filled"] : null;
  if (kind === "number") {
    if (!Number.isInteger(value)) return ["office.must_be_number"];
    if (spec.minimum !== undefined && value < spec.minimum) return ["office.must_be_least", { least: spec.minimum }];
    if (spec.maximum !== undefined && value > spec.maximum) return ["office.must_be_most", { most: spec.maximum }];
  }
  if (typeof value !== "string" || kind === "file") return null;
  if (spec.maxLength !== undefined && [...value].length > spec.maxLength) return ["office.too_long", { most: spec.maxLength }];
  return spec.pattern && !new RegExp(spec.pattern, "u").test(value) ? ["office.wrong_form"] : null;
}

/** Whether anything is wrong by the schema, wherever it stands. */
export function anyWrong(schema, defs, value) {
  return fields(schema, defs).some((field) => {
    const own = value?.[field.name];
    if (field.kind === "group") return (field.needed || own !== undefined) && anyWrong(field.spec, defs, own);
    if (field.kind === "list") return wrong(field, own) !== null || (own ?? []).some((one) => anyWrong(field.items, defs, one));
    return wrong(field, own) !== null;
  });
}

/** The fields on the way to a place, as their specs; steps that are no fields, as they are. */
export function way(schema, defs, [step, ...rest]) {
  if (step === undefined) return [];
  const field = fields(schema, defs).find((one) => one.name === step);
  if (!field) return [step, ...(rest.length ? way(schema, defs, rest) : [])];
  return [field.spec, ...(rest.length ? way(field.kind === "list" ? field.items : field.spec, defs, rest) : [])];
}

/** The value with what stands at a path replaced; undefined takes it away. */
export function put(value, [step, ...rest], what) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const next = rest.length ? put(copy[step] ?? (typeof rest[0] === "number" ? [] : {}), rest, what) : what;
  if (Array.isArray(copy) && next === undefined) copy.splice(step, 1);
  else copy[step] = next;
  return copy;
}

export function at(value, path) {
  return path.reduce((found, step) => found?.[step], value);
}

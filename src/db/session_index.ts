/**
 * Gives each of many sessions a number, its place, so that what is kept of them can lie in arrays of numbers and bytes. A million
 * objects would take half a gigabyte, and every clearing of the heap would look at each of them.
 *
 * A hash table with open addressing. Its keys are ids that are in the database, and so random ones of our own: nobody can
 * choose them so that they collide.
 */

const FEWEST = 1_024
/** Of a UUID: signs, where its groups of four digits begin, and words of 32 bits. */
const LENGTH = 36
const GROUPS = [0, 4, 9, 14, 19, 24, 28, 32] as const
const DASHES = [8, 13, 18, 23] as const
const WORDS = 4

/** By code: the value of a digit. */
const DIGITS = new Int8Array(128).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGITS[digit.charCodeAt(0)] = value

/** The bits of the id that was read last, in groups and in words. */
const groups = new Uint16Array(GROUPS.length)
const words = new Uint32Array(groups.buffer)

/** @returns whether it is a UUID as they are written here, whose bits are in `words` then */
function read(id: string): boolean {
  if (id.length !== LENGTH || DASHES.some((at) => id[at] !== '-')) return false
  for (let group = 0; group < GROUPS.length; group += 1) {
    const value = groupAt(id, GROUPS[group] ?? 0)
    if (value < 0) return false
    groups[group] = value
  }
  return true
}

/** @returns the value of four digits, or a negative number */
function groupAt(id: string, from: number): number {
  let value = 0
  for (let at = from; at < from + 4; at += 1) value = (value << 4) | (DIGITS[id.charCodeAt(at)] ?? -1)
  return value
}

export class SessionIndex {
  /** By hash: a place plus one, or 0. At least half of it is empty. */
  #table = new Uint32Array(2 * FEWEST)
  /** By place: the bits of the id, of which the first 32 are the hash. */
  #ids = new Uint32Array(WORDS * FEWEST)
  /** Places that were given back, and the first that was never given. */
  #free: number[] = []
  #next = 0
  /** What was found last, since most ask for it more than once. */
  #lastId = ''
  #lastPlace = -1

  get size(): number {
    return this.#next - this.#free.length
  }

  /** All places that were ever given are below it. */
  get end(): number {
    return this.#next
  }

  /** @returns the place of a session, or -1 where it has none */
  find(id: string): number {
    if (id !== this.#lastId) {
      this.#lastPlace = read(id) ? (this.#table[this.#slot()] ?? 0) - 1 : -1
      this.#lastId = id
    }
    return this.#lastPlace
  }

  /** @returns the place of a session, old or new, or -1 for what cannot be an id */
  add(id: string): number {
    const known = this.find(id)
    if (known >= 0 || !read(id)) return known
    const place = this.#free.pop() ?? this.#next++
    if (WORDS * place >= this.#ids.length) this.#grow()
    this.#ids.set(words, WORDS * place)
    this.#table[this.#slot()] = place + 1
    this.#lastPlace = place
    return place
  }

  /** Gives the place of a session back. @returns it, or -1 where it had none */
  remove(id: string): number {
    const place = this.find(id)
    if (place < 0 || !read(id)) return -1
    this.#empty(this.#slot())
    this.#free.push(place)
    this.#lastPlace = -1
    return place
  }

  /** @returns the id of whoever has or last had a place */
  idAt(place: number): string {
    const own = new Uint16Array(this.#ids.buffer, WORDS * place * Uint32Array.BYTES_PER_ELEMENT, GROUPS.length)
    const [a, b, c, d, e, f, g, h] = Array.from(own, (group) => group.toString(16).padStart(4, '0'))
    return `${a}${b}-${c}-${d}-${e}-${f}${g}${h}`
  }

  clear(): void {
    if (this.#next === 0) return
    this.#table = new Uint32Array(2 * FEWEST)
    this.#ids = new Uint32Array(WORDS * FEWEST)
    this.#free = []
    this.#next = 0
    this.#lastId = ''
    this.#lastPlace = -1
  }

  /** @returns where the id that was read is in the table, or would be */
  #slot(): number {
    for (let slot = this.#home(words[0] ?? 0); ; slot = this.#after(slot)) {
      const place = (this.#table[slot] ?? 0) - 1
      if (place < 0 || this.#isAt(place)) return slot
    }
  }

  #isAt(place: number): boolean {
    const from = WORDS * place
    for (let word = 0; word < WORDS; word += 1) {
      if (this.#ids[from + word] !== words[word]) return false
    }
    return true
  }

  #home(hash: number): number {
    return hash & (this.#table.length - 1)
  }

  #homeOf(place: number): number {
    return this.#home(this.#ids[WORDS * place] ?? 0)
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#table.length - 1)
  }

  /** Moves what follows a slot up, as far as it would not be found any more otherwise. */
  #empty(slot: number): void {
    let hole = slot
    for (let next = this.#after(hole); ; next = this.#after(next)) {
      const entry = this.#table[next] ?? 0
      if (entry === 0) break
      // Its way from home to here does not lead over the hole.
      if (this.#distance(this.#homeOf(entry - 1), next) < this.#distance(hole, next)) continue
      this.#table[hole] = entry
      hole = next
    }
    this.#table[hole] = 0
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#table.length - 1)
  }

  #grow(): void {
    const [entries, ids] = [this.#table, new Uint32Array(2 * this.#ids.length)]
    ids.set(this.#ids)
    this.#ids = ids
    this.#table = new Uint32Array(2 * entries.length)
    for (const entry of entries) {
      if (entry === 0) continue
      let slot = this.#homeOf(entry - 1)
      while (this.#table[slot] !== 0) slot = this.#after(slot)
      this.#table[slot] = entry
    }
  }
}

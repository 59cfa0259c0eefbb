/**
 * Gives each of many sessions a number, its place, so that what is kept of them can lie in arrays of numbers and bytes. A million
 * objects would take half a gigabyte, and every clearing of the heap would look at each of them.
 *
 * A hash table with open addressing. Its keys are ids that are in the database, and so random ones of our own: nobody can
 * choose them so that they collide.
 */

const FEWEST = 1_024
/** Signs of a UUID, and how many of its first ones are hashed: 52 random bits. */
const LENGTH = 36
const HASHED = 14

export class SessionIndex {
  /** By hash: a place plus one, or 0. At least half of it is empty. */
  #table = new Uint32Array(2 * FEWEST)
  /** By place: the signs of the id. */
  #ids = new Uint8Array(LENGTH * FEWEST)
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
      this.#lastPlace = id.length === LENGTH ? (this.#table[this.#slot(id)] ?? 0) - 1 : -1
      this.#lastId = id
    }
    return this.#lastPlace
  }

  /** @returns the place of a session, old or new, or -1 for what cannot be an id */
  add(id: string): number {
    const known = this.find(id)
    if (known >= 0 || id.length !== LENGTH || !isAscii(id)) return known
    const place = this.#free.pop() ?? this.#next++
    if (LENGTH * place >= this.#ids.length) this.#grow()
    for (let sign = 0; sign < LENGTH; sign += 1) this.#ids[LENGTH * place + sign] = id.charCodeAt(sign)
    this.#table[this.#slot(id)] = place + 1
    this.#lastPlace = place
    return place
  }

  /** Gives the place of a session back. @returns it, or -1 where it had none */
  remove(id: string): number {
    const place = this.find(id)
    if (place < 0) return -1
    this.#empty(this.#slot(id))
    this.#free.push(place)
    this.#lastPlace = -1
    return place
  }

  /** @returns the id of whoever has or last had a place */
  idAt(place: number): string {
    return String.fromCharCode(...this.#ids.subarray(LENGTH * place, LENGTH * (place + 1)))
  }

  clear(): void {
    if (this.#next === 0) return
    this.#table = new Uint32Array(2 * FEWEST)
    this.#ids = new Uint8Array(LENGTH * FEWEST)
    this.#free = []
    this.#next = 0
    this.#lastId = ''
    this.#lastPlace = -1
  }

  /** @returns where an id is in the table, or would be */
  #slot(id: string): number {
    let hash = 0
    for (let sign = 0; sign < HASHED; sign += 1) hash = mix(hash, id.charCodeAt(sign))
    for (let slot = this.#home(hash); ; slot = this.#after(slot)) {
      const place = (this.#table[slot] ?? 0) - 1
      if (place < 0 || this.#isAt(place, id)) return slot
    }
  }

  #isAt(place: number, id: string): boolean {
    const from = LENGTH * place
    for (let sign = 0; sign < LENGTH; sign += 1) {
      if (this.#ids[from + sign] !== id.charCodeAt(sign)) return false
    }
    return true
  }

  #homeOf(place: number): number {
    const from = LENGTH * place
    let hash = 0
    for (let sign = from; sign < from + HASHED; sign += 1) hash = mix(hash, this.#ids[sign] ?? 0)
    return this.#home(hash)
  }

  #home(hash: number): number {
    return (hash ^ (hash >>> 16)) & (this.#table.length - 1)
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
    const [entries, ids] = [this.#table, new Uint8Array(2 * this.#ids.length)]
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

function mix(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}

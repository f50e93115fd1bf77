/* The event list in C: one thread, one periodic 2-D lattice, birth_death, displacement 1, no scar, no regeneration.
 *
 * A step is a numbered list of candidates. Source and target of a candidate follow from its random numbers alone,
 * and the candidates are executed in the order of their numbers, so a run is fixed by its parameters and seed down
 * to the last bit. README.md says how to compile it and what its output means.
 *
 * Where the speed comes from: candidates are drawn 256 at a time with SIMD; their execution has no branch that
 * depends on the lattice (a division, a loss and a null candidate are the same stores with other operands); counts
 * per clone and per block are kept from a list of the candidates that changed a clone.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

typedef uint32_t u32;
typedef uint64_t u64;

enum { EVENT = 1, COUNT = 2, FATE = 3, START = 6 };     /* streams of random numbers */
enum { EMPTY, WILD_TYPE, JAK2, GENOTYPES = 8 };         /* eight, so that a pair of genotypes is six bits */
enum { BATCH = 256, RING = 2 * BATCH, AHEAD = 48 };     /* AHEAD: candidates between prefetch and use */
#define FULL UINT64_MAX
#define LOW 0xFFFFFFFFull
#define MIX 0x9E3779B97F4A7C15ull

/* ---- random numbers: Philox4x32-10 ---- */

typedef struct { u32 w[4]; } Words;

static inline Words philox(u32 c0, u32 c1, u32 c2, u32 c3, u64 key)
{
    u32 k0 = (u32)key, k1 = (u32)(key >> 32);
    for (int round = 0; round < 10; round++) {
        u64 p = 0xD2511F53ull * c0, q = 0xCD9E8D57ull * c2;
        c0 = (u32)(q >> 32) ^ c1 ^ k0, c1 = (u32)q;
        c2 = (u32)(p >> 32) ^ c3 ^ k1, c3 = (u32)p;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return (Words){{c0, c1, c2, c3}};
}

/* ---- the model ---- */

typedef struct {
    u32 side, steps, radius;
    double division, loss, advantage, mutation, recirculation, fraction;
    u64 seed;
} Setup;

typedef struct { u32 divide, leave, mutate, mutant; } Rule;     /* upper halves of the 64-bit marks below */
typedef struct { u32 parent, step, site, genotype; } Founder;
typedef struct { u64 now, was; u32 block; } Change;

typedef struct {
    Setup setup;
    u64 sites, recirculates;
    u32 blocks_a_row;
    u64 *cell;                                  /* genotype | clone << 32 */
    int64_t count[GENOTYPES];
    u64 births[GENOTYPES], losses[GENOTYPES], candidates;
    u64 divide[GENOTYPES], leave[GENOTYPES], mutate[GENOTYPES];  /* B, B + D, 2^64 - 1 - M */
    Rule rule[GENOTYPES];
    u32 present;                                /* genotypes the marks were made for, one bit each */
    double mean;                                /* candidates a step */
    u64 *table;                                 /* cumulative thresholds of the number of candidates */
    int64_t low, entries;
    u32 *block;                                 /* mutants per 4 x 4 sites */
    u32 *clone, *lost, clones, room;            /* cells per clone; step at which it was lost */
    Founder *founder;
    u64 source[RING], target[RING];             /* site | block << 32 */
    u32 action[RING];
    u32 pairs[GENOTYPES * GENOTYPES];           /* [new][old] of this step; [0][g]: losses; [0][0]: nothing */
    Change change[2 * BATCH + 1];
} Marrow;

/* ---- marks of a step; rounding matters here, so a * b + c must stay two operations ---- */
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")

static double ladder(double x)                  /* smallest 2^(j/4) not below x */
{
    static const double rung[] = {0.5, 0.5946035575013605, 0.7071067811865476, 0.8408964152537145, 1.0};
    int e, k = 0;
    double m = frexp(x, &e);
    while (m > rung[k])
        k++;
    return ldexp(rung[k], e);
}

static u64 threshold(double x) { return x < 1.0 ? (u64)(x * 0x1p64) : FULL; }
static u64 smaller(u64 a, u64 b) { return a < b ? a : b; }

/* Cumulative 2^64 thresholds of Poisson(mean) from low on, made outward from the mode. */
static void poisson_table(Marrow *m, double mean)
{
    double half = 10.0 * sqrt(mean) + 30.0, total = 0.0, sum = 0.0;
    int64_t low = (int64_t)fmax(0.0, floor(mean - half)), high = (int64_t)floor(mean + half);
    int64_t mode = (int64_t)floor(mean), n = high - low + 1;
    double *p = malloc(sizeof *p * (size_t)n);
    p[mode - low] = 1.0;
    for (int64_t k = mode - 1; k >= low; k--)
        p[k - low] = p[k + 1 - low] * (double)(k + 1) / mean;
    for (int64_t k = mode + 1; k <= high; k++)
        p[k - low] = p[k - 1 - low] * mean / (double)k;
    for (int64_t k = 0; k < n; k++)
        total += p[k];
    m->table = realloc(m->table, sizeof *m->table * (size_t)n);
    for (int64_t k = 0; k < n; k++) {
        sum += p[k];
        m->table[k] = threshold(sum / total);
    }
    free(p);
    m->low = low, m->entries = n, m->mean = mean;
}

static void make_marks(Marrow *m)
{
    const Setup *s = &m->setup;
    double b[3] = {0, s->division, s->division + fmax(0.0, s->advantage)};
    double d[3] = {0, s->loss, s->loss + fmax(0.0, -s->advantage)};
    double mu[3] = {0, s->mutation, 0}, most = 0.0;
    m->present = 0;
    for (int g = WILD_TYPE; g <= JAK2; g++)
        if (m->count[g] > 0) {
            m->present |= 1u << g;
            most = fmax(most, b[g] + d[g] + mu[g]);
        }
    double rho = most > 0.0 ? ladder(most) : 0.0;
    for (int g = 0; g < GENOTYPES; g++) {
        u64 B = 0, D = 0, M = 0;
        if (m->present >> g & 1 && rho > 0.0) {
            M = threshold(mu[g] / rho);
            B = smaller(threshold(b[g] / rho), FULL - M);
            D = smaller(threshold(d[g] / rho), FULL - B - M);
        }
        m->divide[g] = B, m->leave[g] = B + D, m->mutate[g] = FULL - M;
        m->rule[g] = (Rule){(u32)(B >> 32), (u32)((B + D) >> 32), (u32)((FULL - M) >> 32), g == JAK2};
    }
    double mean = rho * (double)m->sites;
    if (mean != m->mean && mean > 0.0)
        poisson_table(m, mean);
    m->mean = mean;
}
#pragma GCC pop_options

static int64_t number_of_candidates(const Marrow *m, u32 step)
{
    if (!(m->mean > 0.0))
        return 0;
    Words w = philox(0, step, COUNT, 0, m->setup.seed);
    u64 u = (u64)w.w[0] << 32 | w.w[1];
    const u64 *first = m->table;                /* the first entry above u, or the last entry */
    for (int64_t n = m->entries - 1; n > 0;) {
        int64_t half = (n + 1) / 2;
        first += first[half - 1] <= u ? half : 0;
        n -= half;
    }
    return m->low + (first - m->table);
}

/* ---- drawing BATCH candidates: source, target, their blocks, action ---- */
#ifdef __AVX512F__
static void draw(Marrow *m, u32 first, u32 n, u32 step, u32 slot)
{
#define ALL(x) _mm512_set1_epi64((long long)(x))
#define MUL _mm512_mul_epu32
#define UP(x) _mm512_srli_epi64(x, 32)
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
    const u32 side = m->setup.side, width = 2 * m->setup.radius + 1, ways = width * width - 1;
    const __m512i size = ALL(side), r = ALL(m->setup.radius), d = ALL(width), k_all = ALL(ways), k_half = ALL(ways / 2);
    const __m512i inverse = ALL((0x100000000ull + width - 1) / width), row = ALL(m->blocks_a_row);
    const __m512i far = ALL(m->recirculates), low = ALL(LOW), one = ALL(1);
    const __m512i f0 = ALL(0xD2511F53), f1 = ALL(0xCD9E8D57);
    __m512i item = _mm512_add_epi64(ALL(first), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    for (u32 j = slot; j < slot + n; j += 8) {
        /* 32-bit words in 64-bit lanes: the multiplication ignores what stands in the upper half */
        __m512i c0 = item, c1 = ALL(step), c2 = ALL(EVENT), c3 = ALL(0);
        u32 k0 = (u32)m->setup.seed, k1 = (u32)(m->setup.seed >> 32);
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            __m512i p = MUL(c0, f0), q = MUL(c2, f1);
            c0 = XOR3(UP(q), c1, ALL(k0)), c1 = q;
            c2 = XOR3(UP(p), c3, ALL(k1)), c3 = p;
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        item = _mm512_add_epi64(item, ALL(8));
        __m512i p = MUL(c0, size), y = UP(p), x = UP(MUL(p, size));
        __m512i k = UP(MUL(c3, k_all));
        k = _mm512_mask_add_epi64(k, _mm512_cmpge_epu64_mask(k, k_half), k, one);
        __m512i dy = UP(MUL(k, inverse)), dx = _mm512_sub_epi64(k, MUL(dy, d));
        __m512i ty = _mm512_sub_epi64(_mm512_add_epi64(y, dy), r), tx = _mm512_sub_epi64(_mm512_add_epi64(x, dx), r);
        ty = _mm512_min_epu64(ty, _mm512_add_epi64(ty, size)), ty = _mm512_min_epu64(ty, _mm512_sub_epi64(ty, size));
        tx = _mm512_min_epu64(tx, _mm512_add_epi64(tx, size)), tx = _mm512_min_epu64(tx, _mm512_sub_epi64(tx, size));
        __mmask8 recirculates = _mm512_cmplt_epu64_mask(_mm512_and_si512(c2, low), far);
        p = MUL(c3, size);
        ty = _mm512_mask_srli_epi64(ty, recirculates, p, 32);
        tx = _mm512_mask_srli_epi64(tx, recirculates, MUL(p, size), 32);
        __m512i sb = _mm512_add_epi64(MUL(_mm512_srli_epi64(y, 2), row), _mm512_srli_epi64(x, 2));
        __m512i tb = _mm512_add_epi64(MUL(_mm512_srli_epi64(ty, 2), row), _mm512_srli_epi64(tx, 2));
        __m512i s = _mm512_add_epi64(MUL(y, size), x), t = _mm512_add_epi64(MUL(ty, size), tx);
        _mm512_storeu_si512(m->source + j, _mm512_or_si512(s, _mm512_slli_epi64(sb, 32)));
        _mm512_storeu_si512(m->target + j, _mm512_or_si512(t, _mm512_slli_epi64(tb, 32)));
        _mm256_storeu_si256((__m256i *)(m->action + j), _mm512_cvtepi64_epi32(c1));
    }
}
#else
static void draw(Marrow *m, u32 first, u32 n, u32 step, u32 slot)
{
    u64 *restrict source = m->source + slot, *restrict target = m->target + slot;
    u32 *restrict action = m->action + slot;
    const u32 side = m->setup.side, radius = m->setup.radius, width = 2 * radius + 1, ways = width * width - 1;
    const u32 inverse = (u32)((0x100000000ull + width - 1) / width), row = m->blocks_a_row;
    const u32 certain = m->recirculates >> 32 ? ~0u : 0, below = (u32)m->recirculates;
    const u32 key0 = (u32)m->setup.seed, key1 = (u32)(m->setup.seed >> 32);
    for (size_t j = 0; j < n; j++) {
        u32 c0 = first + (u32)j, c1 = step, c2 = EVENT, c3 = 0, k0 = key0, k1 = key1;
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            u64 p = (u64)0xD2511F53u * c0, q = (u64)0xCD9E8D57u * c2;
            c0 = (u32)(q >> 32) ^ c1 ^ k0, c1 = (u32)q;
            c2 = (u32)(p >> 32) ^ c3 ^ k1, c3 = (u32)p;
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        u64 p = (u64)c0 * side, q = (u64)c3 * side;
        u32 y = (u32)(p >> 32), x = (u32)((u64)(u32)p * side >> 32);
        u32 gy = (u32)(q >> 32), gx = (u32)((u64)(u32)q * side >> 32);
        u32 k = (u32)((u64)c3 * ways >> 32);
        k += k >= ways / 2;
        u32 dy = (u32)((u64)k * inverse >> 32), dx = k - dy * width;
        u32 ty = y + dy - radius, tx = x + dx - radius;
        ty = ty < ty + side ? ty : ty + side, ty = ty < ty - side ? ty : ty - side;
        tx = tx < tx + side ? tx : tx + side, tx = tx < tx - side ? tx : tx - side;
        u32 far = (c2 < below ? ~0u : 0) | certain;
        ty = (gy & far) | (ty & ~far), tx = (gx & far) | (tx & ~far);
        source[j] = (u64)((y >> 2) * row + (x >> 2)) << 32 | (y * side + x);
        target[j] = (u64)((ty >> 2) * row + (tx >> 2)) << 32 | (ty * side + tx);
        action[j] = c1;
    }
}
#endif

/* ---- executing them ---- */

static u32 new_clone(Marrow *m, u64 parent, u32 step, u32 site, u32 genotype)
{
    if (m->clones == m->room) {
        m->room *= 2;
        m->clone = realloc(m->clone, sizeof *m->clone * m->room);
        m->lost = realloc(m->lost, sizeof *m->lost * m->room);
        m->founder = realloc(m->founder, sizeof *m->founder * m->room);
    }
    u32 id = m->clones++;
    m->clone[id] = 0, m->lost[id] = UINT32_MAX;
    m->founder[id] = (Founder){(u32)(parent >> 32), step, site, genotype};
    return id;
}

/* Could a candidate of this batch need the lower half of its action, or be a mutation, for some genotype? */
static bool needs_care(const Marrow *m, u32 n, u32 slot)
{
    const u32 *action = m->action + slot;
    Rule a = m->rule[WILD_TYPE], b = m->rule[JAK2];
    u32 mutate = a.mutate < b.mutate ? a.mutate : b.mutate, care = 0;
    for (size_t j = 0; j < n; j++) {
        u32 x = action[j];
        care |= (x == a.divide) | (x == a.leave) | (x == b.divide) | (x == b.leave) | (x >= mutate);
    }
    return care;
}

/* Candidates first .. first + n - 1, which stand in the ring from slot on. A division, a loss and a null candidate
 * are the same stores; care says that the upper half of an action may not be enough. */
static inline __attribute__((always_inline)) void execute(Marrow *m, u32 step, u32 first, u32 n, u32 slot, bool care)
{
    u64 *restrict cell = m->cell;
    Change *restrict change = m->change, *restrict end = change;
    for (u32 j = slot; j < slot + n; j++) {
        u32 later = (j + AHEAD) % RING;
        __builtin_prefetch(cell + (u32)m->source[later], 1);
        __builtin_prefetch(cell + (u32)m->target[later], 1);
        u64 source = m->source[j], target = m->target[j];
        u32 a = m->action[j];
        u64 mother = cell[(u32)source], occupant = cell[(u32)target];
        u64 g = mother & 255, h = occupant & 255;
        bool divides = a < m->rule[g].divide, leaves = a - m->rule[g].divide < m->rule[g].leave - m->rule[g].divide;
        if (care && (a == m->rule[g].divide || a == m->rule[g].leave || a >= m->rule[g].mutate)) {
            u64 u = (u64)a << 32 | philox(first + (j - slot), step, FATE, 0, m->setup.seed).w[0];
            divides = u < m->divide[g], leaves = u < m->leave[g] && !divides;
            if (!divides && !leaves && u > m->mutate[g]) {
                u64 mutant = JAK2 | (u64)new_clone(m, mother, step, (u32)source, JAK2) << 32;
                *end++ = (Change){mutant, mother, (u32)(source >> 32)};
                m->count[g]--, m->count[JAK2]++;
                cell[(u32)source] = mother = mutant;
            }
        }
        u64 division = -(u64)(divides & ((u32)source != (u32)target)), loss = -(u64)leaves;
        u64 where = source ^ ((source ^ target) & division);
        u64 was = mother ^ ((mother ^ occupant) & division);
        u64 now = mother & ~loss;
        u64 pair = ((g * GENOTYPES + h) & division) | (g & loss);
        cell[(u32)where] = now;
        m->pairs[pair]++;
        *end = (Change){now, was, (u32)(where >> 32)};
        end += now >> 32 != was >> 32;
    }
    for (; change < end; change++) {
        u64 now = change->now, was = change->was;
        m->clone[now >> 32]++;
        if (--m->clone[was >> 32] == 0)
            m->lost[was >> 32] = step;
        m->block[change->block] += m->rule[now & 255].mutant - m->rule[was & 255].mutant;
    }
}

static void close_step(Marrow *m)
{
    u32 present = 0;
    for (int g = 0; g <= JAK2; g++)
        for (int h = 0; h <= JAK2; h++) {
            u32 n = m->pairs[g * GENOTYPES + h];
            m->count[g] += n, m->count[h] -= n;
            m->births[g] += n, m->losses[h] += n;
        }
    memset(m->pairs, 0, sizeof m->pairs);
    for (int g = WILD_TYPE; g <= JAK2; g++)
        present |= (u32)(m->count[g] > 0) << g;
    if (present != m->present)
        make_marks(m);
}

static u32 least(u32 a, u32 b) { return a < b ? a : b; }

static void run(Marrow *m, u32 first_step, u32 steps)
{
    for (u32 step = first_step; step < first_step + steps; step++) {
        u32 n = (u32)number_of_candidates(m, step), slot = 0;
        m->candidates += n;
        if (n)
            draw(m, 0, least(n, BATCH), step, slot);
        for (u32 i = 0; i < n; i += BATCH, slot ^= BATCH) {
            u32 now = least(n - i, BATCH);
            if (n - i > BATCH)
                draw(m, i + BATCH, least(n - i - BATCH, BATCH), step, slot ^ BATCH);
            if (needs_care(m, now, slot))
                execute(m, step, i, now, slot, true);
            else
                execute(m, step, i, now, slot, false);
        }
        close_step(m);
    }
}

/* ---- start, end ---- */

static void *pages(size_t bytes)                /* zeroed, on large pages where the system has them */
{
    size_t page = 1 << 21, size = (bytes + page - 1) / page * page;
    void *memory = aligned_alloc(page, size);
    if (!memory)
        fprintf(stderr, "event_list: no memory for %zu bytes\n", bytes), exit(1);
#ifdef MADV_HUGEPAGE
    madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memset(memory, 0, size);
}

static u64 below(double p) { return p >= 1.0 ? 1ull << 32 : (u64)(p * 0x1p32); }

static Marrow *start(Setup setup)
{
    Marrow *m = pages(sizeof *m);
    m->setup = setup, m->sites = (u64)setup.side * setup.side, m->recirculates = below(setup.recirculation);
    m->blocks_a_row = (setup.side + 3) / 4, m->mean = -1.0;
    m->cell = pages(m->sites * sizeof *m->cell);
    m->block = pages((size_t)m->blocks_a_row * m->blocks_a_row * sizeof *m->block);
    m->room = 1024, m->clone = malloc(4 * m->room), m->lost = malloc(4 * m->room), m->founder = malloc(16 * m->room);
    for (u32 g = EMPTY; g <= JAK2; g++)
        new_clone(m, 0, 0, 0, g);
    for (u32 i = 0; i < m->sites; i++) {
        u32 g = philox(i, 0, START, 0, setup.seed).w[0] < below(setup.fraction) ? JAK2 : WILD_TYPE;
        m->cell[i] = g | (u64)g << 32;
        m->count[g]++, m->clone[g]++;
        m->block[i / setup.side / 4 * m->blocks_a_row + i % setup.side / 4] += g == JAK2;
    }
    make_marks(m);
    return m;
}

static void end(Marrow *m)
{
    free(m->cell), free(m->block), free(m->table), free(m->clone), free(m->lost), free(m->founder), free(m);
}

/* FNV-1a over the genotype bytes in the order of the sites. */
static u64 digest_in_order(const Marrow *m)
{
    u64 hash = 0xCBF29CE484222325ull;
    for (u64 i = 0; i < m->sites; i++)
        hash = (hash ^ (m->cell[i] & 255)) * 0x100000001B3ull;
    return hash;
}

/* Sum over the sites of a hash of (site, genotype, clone): may be added up in any order. */
static u64 digest_any_order(const Marrow *m)
{
    u64 sum = 0;
    for (u64 i = 0; i < m->sites; i++) {
        u64 z = ((m->cell[i] & 255) | m->cell[i] >> 32 << 32) + (i + 1) * MIX;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ z >> 27) * 0x94D049BB133111EBull;
        sum += z ^ z >> 31;
    }
    return sum;
}

/* ---- self test ---- */

static u64 place(u32 w, u64 side)
{
    u64 p = w * side;
    return (p >> 32) * side + ((p & LOW) * side >> 32);
}

/* One step written for reading, candidate by candidate, on the same state. */
static void plain_step(Marrow *m, u32 step)
{
    int64_t side = m->setup.side, radius = m->setup.radius, width = 2 * radius + 1, n = number_of_candidates(m, step);
    for (int64_t i = 0; i < n; i++) {
        Words w = philox((u32)i, step, EVENT, 0, m->setup.seed), fate = philox((u32)i, step, FATE, 0, m->setup.seed);
        u64 s = place(w.w[0], (u64)side), t = s, u = (u64)w.w[1] << 32 | fate.w[0];
        u64 mother = m->cell[s], now = 0, was = mother;
        u32 g = (u32)mother & 255;
        bool mutates = false;
        if (g == EMPTY)
            continue;
        if (u < m->divide[g]) {
            t = place(w.w[3], (u64)side);
            if (w.w[2] >= m->recirculates) {
                int64_t k = (int64_t)((u64)w.w[3] * (u64)(width * width - 1) >> 32);
                k += k >= (width * width - 1) / 2;
                int64_t y = (int64_t)s / side + k / width - radius, x = (int64_t)s % side + k % width - radius;
                t = (u64)((y + side) % side * side + (x + side) % side);
            }
            if (t == s)
                continue;
            now = mother, was = m->cell[t];
        } else if (u >= m->leave[g]) {
            if (u <= m->mutate[g])
                continue;
            mutates = true, now = JAK2 | (u64)new_clone(m, mother, step, (u32)s, JAK2) << 32;
        }
        m->cell[t] = now;
        m->count[now & 255]++, m->count[was & 255]--;
        m->births[now & 255] += !mutates, m->losses[was & 255] += !mutates;
        m->clone[now >> 32]++;
        if (--m->clone[was >> 32] == 0)
            m->lost[was >> 32] = step;
        u32 *block = m->block + t / (u64)side / 4 * m->blocks_a_row + t % (u64)side / 4;
        *block += ((now & 255) == JAK2) - ((was & 255) == JAK2);
    }
    m->candidates += (u64)n;
    make_marks(m);
}

static int complaints;

static void expect(bool holds, const char *claim, int set_up)
{
    if (!holds)
        printf("event_list: set-up %d: not true: %s\n", set_up, claim), complaints++;
}

static bool is(Words a, u32 w0, u32 w1, u32 w2, u32 w3)
{
    return a.w[0] == w0 && a.w[1] == w1 && a.w[2] == w2 && a.w[3] == w3;
}

static int selftest(void)
{
    static const Setup setups[] = {
        {316, 40, 3, .0027, .00027, .00096, 0, .3, .02, 7 | 9ull << 32},
        {40, 60, 3, .05, .04, .01, .003, .3, .3, 1},            /* mutation */
        {64, 60, 1, .25, .25, 0, 0, 0, .5, 2},                  /* b + d = rho: the caps */
        {33, 60, 5, .3, .1, -.05, .001, 1, 1e-3, 3},            /* recirculation 1, negative advantage */
        {24, 400, 12, .3, .01, .1, 0, .9, .01, 1ull << 52},     /* a clone is lost or wins */
        {512, 6, 10, .05, .005, .02, 1e-4, .1, .5, 5},          /* with prefetch */
        {7, 500, 3, .02, .03, .01, .001, .5, 0, 6},             /* the marrow empties */
        {64, 40, 2, .1, .01, .03, .6, .2, 0, 8},                /* more clones than the table has room for */
        {128, 40, 60, .5, 0, .2, 0, .5, 1, 9},                  /* mutants alone */
    };
    const int n = sizeof setups / sizeof *setups;
    Words zeros = philox(0, 0, 0, 0, 0), ones = philox(~0u, ~0u, ~0u, ~0u, FULL);
    Words pi = philox(0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0x299F31D0A4093822);
    expect(is(zeros, 0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8), "Philox, all bits 0", -1);
    expect(is(ones, 0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD), "Philox, all bits 1", -1);
    expect(is(pi, 0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1), "Philox, digits of pi", -1);
    for (int i = 0; i < n; i++) {
        Marrow *a = start(setups[i]), *b = start(setups[i]);
        u64 cells = 0, mutants = 0;
        size_t blocks = (size_t)a->blocks_a_row * a->blocks_a_row;
        run(a, 0, setups[i].steps);
        for (u32 step = 0; step < setups[i].steps; step++)
            plain_step(b, step);
        for (u64 j = 0; j < a->sites; j++)
            cells += a->cell[j] != 0;
        for (size_t j = 0; j < blocks; j++)
            mutants += a->block[j];
        expect(a->candidates == b->candidates && a->candidates > 0, "equal candidates", i);
        expect(!memcmp(a->cell, b->cell, a->sites * sizeof *a->cell), "equal cells", i);
        expect(!memcmp(a->block, b->block, blocks * sizeof *a->block), "equal blocks", i);
        expect(!memcmp(a->count, b->count, sizeof a->count), "equal counts", i);
        expect(!memcmp(a->births + 1, b->births + 1, 7 * sizeof(u64)), "equal births", i);
        expect(!memcmp(a->losses + 1, b->losses + 1, 7 * sizeof(u64)), "equal losses", i);
        expect(a->clones == b->clones && !memcmp(a->clone, b->clone, sizeof(u32) * a->clones), "equal clones", i);
        expect(!memcmp(a->founder, b->founder, sizeof(Founder) * a->clones), "equal founders", i);
        expect(!memcmp(a->lost + 1, b->lost + 1, sizeof(u32) * (a->clones - 1)), "equal dates of loss", i);
        expect(cells == (u64)(a->count[WILD_TYPE] + a->count[JAK2]), "counts add up", i);
        expect(mutants == (u64)a->count[JAK2], "blocks add up", i);
        end(a), end(b);
    }
    const char *result = complaints ? "failed" : "passed";
    printf("{\"program\": \"event_list\", \"selftest\": \"%s\", \"set_ups\": %d}\n", result, n);
    return complaints > 0;
}

/* ---- command line ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const char usage[] =
    "event_list SIDE STEPS DIVISION LOSS ADVANTAGE RECIRCULATION RADIUS SEED FRACTION [MUTATION [REPEATS]]\n"
    "event_list --selftest\n"
    "  DIVISION, LOSS, ADVANTAGE, MUTATION: per cell and step; FRACTION: JAK2 share of the start;\n"
    "  REPEATS: run so often, report the fastest\n";

int main(int arguments, char **argument)
{
    if (arguments == 2 && !strcmp(argument[1], "--selftest"))
        return selftest();
    if (arguments < 10 || arguments > 12)
        return fputs(usage, stderr), 2;
    Setup s = {.side = (u32)atoi(argument[1]), .steps = (u32)atoi(argument[2]), .division = atof(argument[3]),
               .loss = atof(argument[4]), .advantage = atof(argument[5]), .recirculation = atof(argument[6]),
               .radius = (u32)atoi(argument[7]), .seed = strtoull(argument[8], NULL, 10), .fraction = atof(argument[9]),
               .mutation = arguments > 10 ? atof(argument[10]) : 0.0};
    int repeats = arguments > 11 ? atoi(argument[11]) : 1;
    bool sound = s.side >= 1 && s.side <= 16384 && s.steps >= 1 && s.steps <= INT32_MAX
        && s.radius >= 1 && s.radius <= s.side && s.radius <= 800 && s.seed < 1ull << 53 && repeats >= 1
        && s.division >= 0 && s.loss >= 0 && s.mutation >= 0 && s.recirculation >= 0 && s.fraction >= 0
        && s.division + s.loss + s.mutation + fabs(s.advantage) <= 4;
    if (!sound)
        return fputs("event_list: a value is out of range\n", stderr), 2;

    double seconds = INFINITY;
    Marrow *m = NULL;
    for (int i = 0; i < repeats; i++) {
        if (m)
            end(m);
        m = start(s);
        double begin = now();
        run(m, 0, s.steps);
        seconds = fmin(seconds, now() - begin);
    }
    u32 alive = 0;
    for (u32 i = 1; i < m->clones; i++)
        alive += m->clone[i] > 0;
    typedef unsigned long long Long;
    double updates = (double)m->sites * s.steps, candidates = (double)m->candidates;
    printf("{\"program\": \"event_list\", \"side\": %u, \"steps\": %u, \"division\": %.17g, \"loss\": %.17g, "
           "\"advantage\": %.17g, \"recirculation\": %.17g, \"radius\": %u, \"seed\": %llu, \"fraction\": %.17g, "
           "\"mutation\": %.17g, ", s.side, s.steps, s.division, s.loss, s.advantage, s.recirculation, s.radius,
           (Long)s.seed, s.fraction, s.mutation);
    printf("\"seconds\": %.6f, \"candidates\": %llu, \"ns_per_candidate\": %.3f, "
           "\"candidates_per_site_and_step\": %.8g, \"site_updates_per_second\": %.6g, ", seconds, (Long)m->candidates,
           m->candidates ? seconds / candidates * 1e9 : 0.0, candidates / updates, updates / seconds);
    printf("\"counts\": [%lld, %lld, %lld], \"births\": [%llu, %llu], \"losses\": [%llu, %llu], \"clones\": %u, "
           "\"clones_alive\": %u, ", (long long)m->count[EMPTY], (long long)m->count[WILD_TYPE],
           (long long)m->count[JAK2], (Long)m->births[1], (Long)m->births[2], (Long)m->losses[1], (Long)m->losses[2],
           m->clones - 3, alive);
    printf("\"digest_in_order\": \"%016llx\", \"digest_any_order\": \"%016llx\"}\n", (Long)digest_in_order(m),
           (Long)digest_any_order(m));
    end(m);
    return 0;
}

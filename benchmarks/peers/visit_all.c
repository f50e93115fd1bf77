/* The niche marrow as a loop over all sites: every step visits every site in raster order and draws once for it.
 *
 * Same rules as the event list (birth_death, displacement 1, two genotypes, periodic 2-D lattice), another law in the
 * details: Bernoulli instead of Poisson, and a daughter that settles ahead of the raster may act in the same step.
 * Two loops: "plain" is what one writes first; "wide" draws its noise with SIMD and looks at 16 sites at once.
 * README.md says how to compile it and what its output means.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

enum { EMPTY, WILD_TYPE, JAK2, GENOTYPES };
enum { LANES = 16, NOISE = 4096 };

/* division : loss : advantage = 1 : 0.1 : 0.35; p is the sum, the candidates per site and step */
static const double division_share = 1 / 1.45, loss_share = 0.1 / 1.45, advantage_share = 0.35 / 1.45;

static u32 side, radius, ways;
static int *dy, *dx;
static u8 *genotype;
static u32 *clone;
static int64_t count[GENOTYPES], births, losses;
static u64 divide[GENOTYPES], act[GENOTYPES], recirculates;    /* thresholds; act: division or loss */

/* ---- xoshiro256++, and 16 xoshiro128++ side by side ---- */

typedef struct { u64 a, b, c, d; } Generator;

static Generator generator;
static u32 lane[4][LANES], noise[NOISE];

static inline u64 turn(u64 x, int k) { return x << k | x >> (64 - k); }

static inline u64 draw(Generator *r)
{
    u64 result = turn(r->a + r->d, 23) + r->a, t = r->b << 17;
    r->c ^= r->a, r->d ^= r->b, r->b ^= r->c, r->a ^= r->d;
    r->c ^= t, r->d = turn(r->d, 45);
    return result;
}

static void draw_noise(void)
{
    for (u32 *out = noise; out < noise + NOISE; out += LANES)
        for (int i = 0; i < LANES; i++) {
            u32 a = lane[0][i], b = lane[1][i], c = lane[2][i], d = lane[3][i], s = a + d;
            out[i] = (s << 7 | s >> 25) + a;
            c ^= a, d ^= b;
            lane[1][i] = b ^ c, lane[0][i] = a ^ d, lane[2][i] = c ^ b << 9, lane[3][i] = d << 11 | d >> 21;
        }
}

static void sow(u64 seed)
{
    char *word[] = {(char *)&generator, (char *)lane};
    for (int part = 0; part < 2; part++)
        for (u32 i = 0; i < (part ? 2 * LANES : 4); i++) {      /* splitmix64 */
            u64 z = seed += 0x9E3779B97F4A7C15ull;
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
            z = (z ^ z >> 27) * 0x94D049BB133111EBull;
            z ^= z >> 31;
            memcpy(word[part] + 8 * i, &z, 8);
        }
}

/* ---- a step ---- */

/* w: a random word, used by a division. */
static void happen(u32 y, u32 x, bool divides, u64 w)
{
    u32 s = y * side + x, t = s, g = genotype[s];
    if (divides) {
        if (w >> 32 < recirculates)
            t = (u32)((w & 0xFFFFFFFF) * ((u64)side * side) >> 32);
        else {
            u32 k = (u32)((w & 0xFFFFFFFF) * ways >> 32), ty = y + (u32)dy[k], tx = x + (u32)dx[k];
            ty += (int)ty < 0 ? side : 0, tx += (int)tx < 0 ? side : 0;
            ty -= ty >= side ? side : 0, tx -= tx >= side ? side : 0;
            t = ty * side + tx;
        }
        if (t == s)
            return;
        births++;
    }
    count[genotype[t]]--;
    losses += genotype[t] != EMPTY;
    genotype[t] = divides ? (u8)g : EMPTY;
    clone[t] = divides ? clone[s] : 0;
    count[genotype[t]]++;
}

static void step_plain(void)
{
    Generator r = generator;                    /* a local copy stays in registers */
    u32 s = 0;
    for (u32 y = 0; y < side; y++)
        for (u32 x = 0; x < side; x++, s++) {
            u64 u = draw(&r);
            if (u < act[genotype[s]])
                happen(y, x, u < divide[genotype[s]], draw(&r));
        }
    generator = r;
}

static void step_wide(void)
{
    static u32 used = NOISE;
    const u32 most = (u32)(act[JAK2] >> 32), sites = side * side;
    for (u32 s = 0; s < sites; s += LANES, used += LANES) {
        if (used == NOISE)
            draw_noise(), used = 0;
        u32 any = 0;
        for (int i = 0; i < LANES; i++)
            any |= noise[used + i] < most;
        if (!any)
            continue;
        for (u32 i = 0; i < LANES && s + i < sites; i++) {
            u32 g = genotype[s + i], u = noise[used + i];
            if (u < act[g] >> 32)
                happen((s + i) / side, (s + i) % side, u < divide[g] >> 32, draw(&generator));
        }
    }
}

/* ---- start, end ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void start(double p, double recirculation, double fraction, u64 seed)
{
    u32 sites = side * side, k = 0;
    double b[] = {0, division_share * p, (division_share + advantage_share) * p}, d = loss_share * p;
    for (int g = WILD_TYPE; g <= JAK2; g++)
        divide[g] = (u64)(b[g] * 0x1p64), act[g] = (u64)((b[g] + d) * 0x1p64);
    recirculates = recirculation >= 1 ? 1ull << 32 : (u64)(recirculation * 0x1p32);
    ways = (2 * radius + 1) * (2 * radius + 1) - 1;
    dy = malloc(ways * sizeof *dy), dx = malloc(ways * sizeof *dx);
    for (int i = -(int)radius; i <= (int)radius; i++)
        for (int j = -(int)radius; j <= (int)radius; j++)
            if (i || j)
                dy[k] = i, dx[k++] = j;
    genotype = malloc(sites), clone = malloc(sites * sizeof *clone);
    sow(seed);
    for (u32 s = 0; s < sites; s++) {
        clone[s] = genotype[s] = (double)(draw(&generator) >> 11) * 0x1p-53 < fraction ? JAK2 : WILD_TYPE;
        count[genotype[s]]++;
    }
}

static const char usage[] =
    "visit_all SIDE P [LOOP [SECONDS [RADIUS [RECIRCULATION [FRACTION [SEED]]]]]]\n"
    "  P: candidates per site and step; LOOP: plain or wide; SECONDS: run at least so long\n"
    "  without them: plain, 1, radius 1, recirculation 0, half of the cells JAK2, seed 1\n";

int main(int arguments, char **argument)
{
    const char *text[9] = {"", "", "", "plain", "1", "1", "0", "0.5", "1"};
    if (arguments < 3 || arguments > 9)
        return fputs(usage, stderr), 2;
    for (int i = 1; i < arguments; i++)
        text[i] = argument[i];
    double p = atof(text[2]), seconds = atof(text[4]), recirculation = atof(text[6]), fraction = atof(text[7]);
    bool wide = !strcmp(text[3], "wide");
    side = (u32)atoi(text[1]), radius = (u32)atoi(text[5]);
    bool sound = side >= 1 && side <= 16384 && radius >= 1 && radius <= side && p > 0 && p < 1;
    if (!sound || (!wide && strcmp(text[3], "plain")))
        return fputs(usage, stderr), 2;
    start(p, recirculation, fraction, strtoull(text[8], NULL, 10));

    long steps = 0;
    double begin = now(), passed = 0;
    for (; passed < seconds || steps == 0; passed = now() - begin, steps++)
        wide ? step_wide() : step_plain();
    double visits = (double)side * side * (double)steps;
    printf("{\"program\": \"visit_all\", \"loop\": \"%s\", \"side\": %u, \"p\": %g, \"radius\": %u, "
           "\"recirculation\": %g, \"steps\": %ld, \"seconds\": %.6f, \"ns_per_site\": %.4f, "
           "\"site_updates_per_second\": %.6g, "
           "\"births_per_site_and_step\": %.6g, \"losses_per_site_and_step\": %.6g, \"counts\": [%lld, %lld, %lld]}\n",
           text[3], side, p, radius, recirculation, steps, passed, passed / visits * 1e9, visits / passed,
           (double)births / visits, (double)losses / visits,
           (long long)count[EMPTY], (long long)count[WILD_TYPE], (long long)count[JAK2]);
    return 0;
}

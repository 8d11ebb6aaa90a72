/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/histogram.h"

#include "base/attr.h"

#define SUB_BITS 4u
#define SUBS (1u << SUB_BITS)
#define MOST_US ((UINT64_C(1) << 24) - 1)

_Static_assert(KA_HISTOGRAM_BUCKETS == SUBS + (24 - SUB_BITS) * SUBS + 1, "the last one is for all that is longer");

static unsigned int bucket_of(uint64_t us)
{
	unsigned int octave;

	if (us < SUBS)
		return (unsigned int)us;
	if (us > MOST_US)
		return KA_HISTOGRAM_BUCKETS - 1;
	octave = 63 - (unsigned int)__builtin_clzll(us) - SUB_BITS;
	return SUBS + octave * SUBS + (unsigned int)(us >> octave & (SUBS - 1));
}

static int64_t middle_of(unsigned int bucket)
{
	unsigned int octave;

	if (bucket < SUBS)
		return bucket;
	octave = (bucket - SUBS) / SUBS;
	return (int64_t)(((uint64_t)(SUBS + bucket % SUBS) << octave) + (UINT64_C(1) << octave) / 2);
}

void ka_histogram_add(struct ka_histogram *h, int64_t us)
{
	uint32_t turn = atomic_load_explicit(&h->turn, memory_order_relaxed);
	unsigned int half = turn & 1;

	atomic_fetch_add_explicit(&h->halves[half].buckets[bucket_of((uint64_t)KA_MAX(us, 0))], 1,
				  memory_order_relaxed);
	/* One adder alone brings it to the window. */
	if (atomic_fetch_add_explicit(&h->halves[half].count, 1, memory_order_relaxed) + 1 != KA_HISTOGRAM_WINDOW)
		return;
	for (unsigned int i = 0; i < KA_HISTOGRAM_BUCKETS; i++)
		atomic_store_explicit(&h->halves[!half].buckets[i], 0, memory_order_relaxed);
	atomic_store_explicit(&h->halves[!half].count, 0, memory_order_relaxed);
	atomic_store_explicit(&h->turn, turn + 1, memory_order_release);
}

/* The bucket that holds the duration of this rank, counted from 1. */
static unsigned int find_rank(const uint32_t sums[KA_HISTOGRAM_BUCKETS], uint32_t rank)
{
	unsigned int i = 0;

	for (uint32_t seen = sums[0]; seen < rank && i + 1 < KA_HISTOGRAM_BUCKETS; seen += sums[i])
		i++;
	return i;
}

void ka_histogram_read(struct ka_histogram *h, struct ka_percentiles *out)
{
	uint32_t sums[KA_HISTOGRAM_BUCKETS];
	uint32_t n = 0;

	for (unsigned int i = 0; i < KA_HISTOGRAM_BUCKETS; i++) {
		sums[i] = atomic_load_explicit(&h->halves[0].buckets[i], memory_order_relaxed) +
			  atomic_load_explicit(&h->halves[1].buckets[i], memory_order_relaxed);
		n += sums[i];
	}
	*out = (struct ka_percentiles){.count = n};
	if (!n)
		return;
	out->p50_us = middle_of(find_rank(sums, n - n / 2));
	out->p95_us = middle_of(find_rank(sums, n - n / 20));
	out->p99_us = middle_of(find_rank(sums, n - n / 100));
}

// What the micro-benchmarks count between two points: allocations here, instructions by callgrind, which stops at the same two functions.
#pragma once

/// Begins a count of the calling thread's allocations.
void allocations_begin(void);

/// Ends it: how often the calling thread called malloc, calloc, realloc or one of the aligned kinds since `allocations_begin`.
unsigned long allocations_end(void);

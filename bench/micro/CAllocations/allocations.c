// The C library's allocation functions, interposed in the executable they are linked into and counted by thread.
#include "CAllocations.h"
#include <errno.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static __thread unsigned long count;

// In the executable: the compiler must neither see into these nor leave a call out, for callgrind finds them by name.
__attribute__((noinline)) void allocations_begin(void) { count = 0; __asm__ volatile("" ::: "memory"); }
__attribute__((noinline)) unsigned long allocations_end(void) { __asm__ volatile("" ::: "memory"); return count; }

void *malloc(size_t size) { count++; return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { count++; return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

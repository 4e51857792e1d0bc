// tsan.h: the VM's locks are not instrumented, so ThreadSanitizer has to be told about them.
#ifndef ROOMFOLD_NIF_TSAN_H
#define ROOMFOLD_NIF_TSAN_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NIF_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define NIF_TSAN 1
#endif

// What the lock protects: to be called after it is taken, and before it is left.
#ifdef NIF_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define nif_locked(what) __tsan_acquire(what)
#define nif_unlocking(what) __tsan_release(what)
#else
#define nif_locked(what) ((void)(what))
#define nif_unlocking(what) ((void)(what))
#endif

#endif

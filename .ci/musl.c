// What musl lacks of what Debian's libgcc_eh, which unwinds panics and was made for glibc, asks for.
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>

// Weak there, so that nothing else brings them into a static program.
void *const weak[] = {
    pthread_getspecific, pthread_key_create,   pthread_mutex_lock,
    pthread_once,        pthread_mutex_unlock, pthread_setspecific,
};

struct dl_find_object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *eh_frame;
    unsigned long long reserved[7];
};

static int program(struct dl_phdr_info *info, size_t size, void *found) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_GNU_EH_FRAME)
            ((struct dl_find_object *)found)->eh_frame = (void *)(info->dlpi_addr + header->p_vaddr);
    }
    return 1;
}

// The table for unwinding of the object that an address is in; here there is the program alone.
int _dl_find_object(void *address, struct dl_find_object *found) {
    found->eh_frame = 0;
    dl_iterate_phdr(program, found);
    return found->eh_frame ? 0 : -1;
}

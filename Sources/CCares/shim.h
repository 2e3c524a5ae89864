#ifndef SALLYPORT_CCARES_SHIM_H
#define SALLYPORT_CCARES_SHIM_H
#include <ares.h>
#endif

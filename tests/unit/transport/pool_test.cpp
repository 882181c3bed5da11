#include "transport/pool.h"

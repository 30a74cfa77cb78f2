#include "front/embedded.h"

const unsigned char embedded_page[] = {
#include "front/embedded_page.inc"
};
const size_t embedded_page_bytes = sizeof embedded_page;

const unsigned char embedded_openapi[] = {
#include "front/embedded_openapi.inc"
};
const size_t embedded_openapi_bytes = sizeof embedded_openapi;

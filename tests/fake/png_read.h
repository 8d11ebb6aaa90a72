/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a PNG file back, for cmocka tests. */
#ifndef KA_PNG_READ_H
#define KA_PNG_READ_H

#include "tests/check/check.h"

#include <png.h>

struct png_picture {
	uint32_t width, height;
	uint8_t *rgb; /* 3 * width bytes a row */
};

/* The test fails when it is none. Free rgb afterwards. */
static inline struct png_picture png_read(const uint8_t *data, size_t len)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	struct png_picture p;

	assert_true(png_image_begin_read_from_memory(&image, data, len));
	/* Nothing is left out or made up on the way. */
	assert_int_equal(image.format, PNG_FORMAT_RGB);
	p = (struct png_picture){.width = image.width, .height = image.height, .rgb = malloc(PNG_IMAGE_SIZE(image))};
	assert_true(png_image_finish_read(&image, NULL, p.rgb, 0, NULL));
	return p;
}

#endif

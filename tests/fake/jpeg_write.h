/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes JPEGs as sticks send them. Between jpeg_write_begin() and jpeg_write_end() or jpeg_write_frame(): what is to be
 * set in c besides, jpeg_start_compress(), and every row. Aborts where memory fails.
 */
#ifndef KA_JPEG_WRITE_H
#define KA_JPEG_WRITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/frame.h"

struct jpeg_write {
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	uint8_t *file; /* once ended; free it */
	unsigned long size;
};

/* colours: of the rows, and how many bytes a pixel has there; chroma is halved both ways unless set. */
static inline void jpeg_write_begin(struct jpeg_write *j, uint32_t w, uint32_t h, J_COLOR_SPACE colours, int quality)
{
	memset(j, 0, sizeof(*j));
	j->c.err = jpeg_std_error(&j->err);
	jpeg_create_compress(&j->c);
	jpeg_mem_dest(&j->c, &j->file, &j->size);
	j->c.image_width = w;
	j->c.image_height = h;
	j->c.input_components = colours == JCS_GRAYSCALE ? 1 : 3;
	j->c.in_color_space = colours;
	jpeg_set_defaults(&j->c);
	jpeg_set_quality(&j->c, quality, TRUE);
}

static inline void jpeg_write_row(struct jpeg_write *j, uint8_t *row)
{
	jpeg_write_scanlines(&j->c, &row, 1);
}

static inline void jpeg_write_end(struct jpeg_write *j)
{
	jpeg_finish_compress(&j->c);
	jpeg_destroy_compress(&j->c);
}

/* The same, as a frame of its own whose colours are not said. */
static inline struct ka_frame *jpeg_write_frame(struct jpeg_write *j)
{
	struct ka_frame d = {.format = KA_PIX_MJPEG, .width = j->c.image_width, .height = j->c.image_height};
	struct ka_frame *f;

	jpeg_write_end(j);
	if (ka_buf_new(&d.bufs[0], j->size) < 0)
		abort();
	memcpy(d.bufs[0]->data, j->file, j->size);
	free(j->file);
	d.planes[0] = (struct ka_plane){.data = d.bufs[0]->data, .size = j->size};
	if (ka_frame_new(&f, &d) < 0)
		abort();
	return f;
}

#endif

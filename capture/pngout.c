/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/pngout.h"

#include <errno.h>
#include <setjmp.h>

#include <png.h>

#include "base/err.h"
#include "capture/mjpeg.h"
#include "capture/rgb.h"

/* Of 0..9. Higher ones take several times as long for a few percent less; the other two filters make photos 8 %
 * smaller, screens 5 % larger, and take half as long again. */
#define LEVEL 3
#define FILTERS (PNG_FILTER_NONE | PNG_FILTER_SUB | PNG_FILTER_UP)

struct writer {
	struct ka_bytes *to;
	const struct ka_frame *frame;
	const atomic_bool *cancel;
	png_structp png;
	png_infop info;
	uint8_t *row;
	uint8_t *pixels; /* of a JPEG: Y, U, V triples; NULL otherwise */
	struct ka_rgb rgb;
};

static void leave(png_structp png, png_const_charp text)
{
	(void)text;
	png_longjmp(png, 1);
}

static void say_nothing(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static png_voidp take_memory(png_structp png, png_alloc_size_t size)
{
	(void)png;
	return malloc(size);
}

static void give_memory(png_structp png, png_voidp memory)
{
	(void)png;
	free(memory);
}

static void append(png_structp png, png_bytep data, png_size_t len)
{
	struct writer *w = png_get_io_ptr(png);

	if (ka_bytes_add(w->to, data, len) < 0)
		png_error(png, "no room");
}

static void flush_nothing(png_structp png)
{
	(void)png;
}

static int decode_jpeg(struct writer *w)
{
	const struct ka_frame *f = w->frame;
	struct ka_mjpeg_pixels dst = {.stride = (size_t)3 * f->width, .width = f->width, .height = f->height};
	struct ka_mjpeg *m;
	int ret;

	w->pixels = dst.data = malloc(dst.stride * f->height);
	if (!w->pixels)
		return -ENOMEM;
	ret = ka_mjpeg_new(&m);
	if (ret < 0)
		return ret;
	ret = ka_mjpeg_decode_pixels(m, f->planes[0].data, f->planes[0].size, &dst);
	ka_mjpeg_free(m);
	return ret;
}

static int prepare(struct writer *w)
{
	const struct ka_frame *f = w->frame;

	w->row = malloc((size_t)3 * f->width);
	if (!w->row)
		return -ENOMEM;
	ka_rgb_init(&w->rgb, f->format, f->colour);
	w->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, leave, say_nothing, NULL, take_memory,
					   give_memory);
	if (!w->png)
		return -ENOMEM;
	w->info = png_create_info_struct(w->png);
	if (!w->info)
		return -ENOMEM;
	png_set_write_fn(w->png, w, append, flush_nothing);
	return f->format == KA_PIX_MJPEG ? decode_jpeg(w) : 0;
}

/* Anything that fails inside libpng but our own append is memory. */
static int write_rows(struct writer *w)
{
	const struct ka_frame *f = w->frame;

	if (setjmp(png_jmpbuf(w->png)))
		return w->to->error ? w->to->error : -ENOMEM;
	png_set_IHDR(w->png, w->info, f->width, f->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(w->png, LEVEL);
	png_set_filter(w->png, PNG_FILTER_TYPE_BASE, FILTERS);
	png_write_info(w->png, w->info);
	for (uint32_t y = 0; y < f->height; y++) {
		if (atomic_load(w->cancel))
			return -ECANCELED;
		if (w->pixels)
			ka_rgb_triples(&w->rgb, w->pixels + (size_t)3 * f->width * y, f->width, w->row);
		else
			ka_rgb_row(&w->rgb, f, y, w->row);
		png_write_row(w->png, w->row);
	}
	png_write_end(w->png, NULL);
	return 0;
}

int ka_pngout_encode(struct ka_bytes *to, const struct ka_frame *f, const atomic_bool *cancel)
{
	struct writer w = {.to = to, .frame = f, .cancel = cancel};
	int ret = prepare(&w);

	if (ret == 0)
		ret = write_rows(&w);
	png_destroy_write_struct(&w.png, &w.info);
	free(w.pixels);
	free(w.row);
	return ret;
}

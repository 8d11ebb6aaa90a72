/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static bool find_speed(unsigned int baud, speed_t *out)
{
	static const struct {
		unsigned int baud;
		speed_t speed;
	} speeds[] = {{1200, B1200},   {2400, B2400},	{4800, B4800},	 {9600, B9600},
		      {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}};

	for (unsigned int i = 0; i < KA_ARRAY_LEN(speeds); i++) {
		if (speeds[i].baud == baud) {
			*out = speeds[i].speed;
			return true;
		}
	}
	return false;
}

bool ka_tty_has_speed(unsigned int baud)
{
	speed_t speed;

	return find_speed(baud, &speed);
}

static int set_up(int fd, speed_t speed)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
	t.c_cflag |= CLOCAL | CREAD;
	if (cfsetspeed(&t, speed) < 0 || tcsetattr(fd, TCSANOW, &t) < 0)
		return -errno;
	if (ioctl(fd, TIOCEXCL) < 0 || tcflush(fd, TCIOFLUSH) < 0)
		return -errno;
	return 0;
}

int ka_tty_open(const char *path, unsigned int baud)
{
	speed_t speed;
	int ret;
	int fd;

	if (!find_speed(baud, &speed))
		return -EINVAL;
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = set_up(fd, speed);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

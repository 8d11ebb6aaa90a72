/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ctl_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/ctl_proto.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

#define GROUP_BYTES (64u * 1024) /* of an entry of /etc/group, members included */
#define MAX_GROUPS 65536	 /* NGROUPS_MAX of Linux */

static struct sockaddr_un address_of(const struct ka_ctl_socket *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	static_assert(sizeof(a.sun_path) == sizeof(s->path), "a whole path fits");
	memcpy(a.sun_path, s->path, sizeof(a.sun_path));
	return a;
}

/* The lock ends with the process, however that ends, so two agents that start at once cannot both see a dead socket. */
static int lock_dir(struct ka_ctl_socket *s, const char *dir, struct ka_errbuf *eb)
{
	s->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK) {
		int ret = -errno;

		ka_errbuf_set(eb, "%s: %s", dir, ka_err_str(ret));
		return ret;
	}
	ka_errbuf_set(eb, "%s: another kvmagent uses this folder; give each a 'runtime_dir' of its own", dir);
	return -EADDRINUSE;
}

/* Somebody may listen who knows nothing of the lock. */
static int probe(const struct ka_ctl_socket *s)
{
	struct sockaddr_un a = address_of(s);
	KA_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	return errno == ECONNREFUSED ? 0 : -errno;
}

static int clear_way(const struct ka_ctl_socket *s, struct ka_errbuf *eb)
{
	struct stat st;
	int ret = 0;

	if (lstat(s->path, &st) < 0) {
		ret = errno == ENOENT ? 0 : -errno;
	} else if (!S_ISSOCK(st.st_mode)) {
		ka_errbuf_set(eb, "%s: is in the way and no socket: remove it", s->path);
		return -EEXIST;
	} else {
		ret = probe(s);
		if (!ret && unlink(s->path) < 0)
			ret = -errno;
	}
	if (ret == -EADDRINUSE)
		ka_errbuf_set(eb, "%s: somebody else listens there", s->path);
	else if (ret < 0)
		ka_errbuf_set(eb, "%s: %s", s->path, ka_err_str(ret));
	return ret;
}

static void find_group(struct ka_ctl_socket *s, const char *name)
{
	char *buf = malloc(GROUP_BYTES);
	struct group entry;
	struct group *found = NULL;

	if (name[0] && buf && !getgrnam_r(name, &entry, buf, GROUP_BYTES, &found) && found) {
		s->has_group = true;
		s->group = found->gr_gid;
	}
	free(buf);
}

/* A service that runs in that group may be forbidden to change owners at all, and need not. */
static int give_to(const char *path, gid_t group)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	return st.st_gid == group ? 0 : chown(path, (uid_t)-1, group);
}

/* Whether the group gets at the socket. A folder made by us is theirs to enter; another is left as it is. */
static int admit_group(const struct ka_ctl_socket *s, const char *dir, bool own_dir)
{
	struct stat st;

	if (give_to(s->path, s->group) < 0)
		return -errno;
	if (own_dir && (give_to(dir, s->group) < 0 || chmod(dir, 0750) < 0))
		return -errno;
	if (stat(dir, &st) < 0)
		return -errno;
	return (st.st_gid == s->group && st.st_mode & S_IXGRP) || st.st_mode & S_IXOTH ? 0 : -EACCES;
}

static int make(struct ka_ctl_socket *s, const char *dir, const char *group, bool own_dir)
{
	struct sockaddr_un a = address_of(s);
	int ret;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	find_group(s, group);
	ret = s->has_group ? admit_group(s, dir, own_dir) : 0;
	if (ret < 0)
		ka_log(WARN, "ctl", "group-locked-out", "group=%s file=%s cause=\"%s\"", group, s->path,
		       ka_err_str(ret));
	/* Nobody can connect before it listens. */
	return chmod(s->path, s->has_group ? 0660 : 0600) < 0 ? -errno : 0;
}

int ka_ctl_socket_open(struct ka_ctl_socket *s, const char *dir, const char *group, struct ka_errbuf *eb)
{
	char path[sizeof(s->path)];
	bool own_dir = access(dir, F_OK) < 0;
	int ret;

	*s = (struct ka_ctl_socket){.fd = -1, .lock = -1};
	if (ka_str_format(path, sizeof(path), "%s/" KA_CTL_NAME, dir) < 0) {
		ka_errbuf_set(eb, "%s/" KA_CTL_NAME ": a socket's path has at most %zu bytes: shorten 'runtime_dir'",
			      dir, sizeof(path) - 1);
		return -ENAMETOOLONG;
	}
	ret = ka_fs_mkdirs(dir, 0700);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s: %s", dir, ka_err_str(ret));
		return ret;
	}
	ret = lock_dir(s, dir, eb);
	if (ret < 0)
		goto fail;
	/* From here on the file is ours to remove; were it somebody else's, clear_way() would say so. */
	ka_str_copy(s->path, sizeof(s->path), path);
	ret = clear_way(s, eb);
	if (ret < 0) {
		s->path[0] = '\0';
		goto fail;
	}
	ret = make(s, dir, group, own_dir);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s: %s", path, ka_err_str(ret));
		goto fail;
	}
	return 0;
fail:
	ka_ctl_socket_close(s);
	return ret;
}

void ka_ctl_socket_close(struct ka_ctl_socket *s)
{
	if (s->path[0])
		unlink(s->path);
	s->path[0] = '\0';
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock >= 0)
		close(s->lock);
	s->fd = s->lock = -1;
}

static bool in_groups(int fd, gid_t wanted)
{
	socklen_t size = 0;
	gid_t *groups = NULL;
	bool found = false;

	/* Asked with no room, the kernel says how much it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &wanted, &size) == 0 || errno != ERANGE ||
	    size > MAX_GROUPS * sizeof(gid_t))
		return false;
	groups = malloc(size);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(gid_t); i++)
			found = found || groups[i] == wanted;
	}
	free(groups);
	return found;
}

int ka_ctl_socket_peer(const struct ka_ctl_socket *s, int fd, uid_t *uid)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	*uid = (uid_t)-1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	*uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid())
		return 0;
	if (s->has_group && (peer.gid == s->group || in_groups(fd, s->group)))
		return 0;
	return -EPERM;
}

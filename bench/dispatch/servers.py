"""A private PostgreSQL and a coordinator, for as long as a measurement takes."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

BIN = pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"
PG = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]


class Postgres:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="gridsweep-bench-")
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
        self.run("initdb", "-D", self.dir + "/data", "-U", "gridsweep", "-A", "trust", "--locale=C", "-E", "UTF8")
        with open(self.dir + "/options", "w") as f:
            f.write("listen_addresses=''\nshared_preload_libraries='pg_stat_statements'\n"
                    "max_connections=100\nshared_buffers=256MB\nmax_wal_size=4GB\n")
        subprocess.run(f"cat {self.dir}/options >> {self.dir}/data/postgresql.conf", shell=True, check=True)
        self.run("pg_ctl", "-D", self.dir + "/data", "-w", "-l", self.dir + "/log", "-o", "-k " + self.dir, "start")

    def run(self, program, *args):
        command = [str(PG / program), *args]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def stop(self):
        self.run("pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "stop")
        shutil.rmtree(self.dir)

    def conninfo(self, database):
        return f"host={self.dir} user=gridsweep dbname={database}"

    def psql(self, database, sql):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.conninfo(database)],
                              input=sql, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def session(self, database, sql, user="gridsweep"):
        """A psql that has been given `sql` and stays."""
        process = subprocess.Popen(["psql", "-Xq", f"{self.conninfo(database)} user={user}"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
        process.stdin.write(sql)
        process.stdin.flush()
        return process


class Coordinator:
    running = []

    def __init__(self, postgres, database):
        self.dir = tempfile.mkdtemp(prefix="gridsweep-bench-coordinator-")
        self.address = f"unix:{self.dir}/socket"
        self.log = open(self.dir + "/log", "w")
        self.process = subprocess.Popen(
            [BIN / "gridsweep-coordinator", "--listen", self.address, "--database", postgres.conninfo(database),
             "--artifacts", self.dir + "/artifacts", "--quarantine-after", "0"], stdout=self.log, stderr=self.log)
        self.running.append(self)
        deadline = time.time() + 60
        while not os.path.exists(self.dir + "/socket"):
            if time.time() > deadline or self.process.poll() is not None:
                raise SystemExit(open(self.dir + "/log").read())
            time.sleep(0.05)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, key):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1])

    def stop(self):
        self.running.remove(self)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.dir)

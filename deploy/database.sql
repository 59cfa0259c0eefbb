-- The role and the database, to be run once by a superuser of PostgreSQL; the password comes from DATABASE_PASSWORD.
-- The role owns its database, since the service makes its tables itself.

\getenv password DATABASE_PASSWORD

-- Two instances with ten connections each, and room for one more of each during an upgrade.
CREATE ROLE bienvenue LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
CREATE DATABASE bienvenue OWNER bienvenue ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE bienvenue FROM PUBLIC;

-- Tenants, the database roles that act for them, and their portfolios.
--
-- Readers get SELECT here together with the policies that confine them to one tenant.

SET LOCAL ROLE tickd_owner;

CREATE TABLE public.tenants (
    tenant_id  uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    name       varchar(100) NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz  NOT NULL DEFAULT now()
);

-- Which tenant a database role sees. A pooler serves many, so it names the tenant itself and has
-- none of its own.
CREATE TABLE public.tenant_roles (
    role_name  name        PRIMARY KEY,
    tenant_id  uuid        REFERENCES public.tenants ON DELETE CASCADE,
    is_pooler  boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (is_pooler = (tenant_id IS NULL))
);
CREATE INDEX tenant_roles_tenant ON public.tenant_roles (tenant_id);

CREATE TABLE public.portfolios (
    portfolio_id  uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id     uuid         NOT NULL REFERENCES public.tenants ON DELETE CASCADE,
    name          varchar(100) NOT NULL CHECK (name <> ''),
    base_currency varchar(10)  NOT NULL DEFAULT 'USD',
    created_at    timestamptz  NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, portfolio_id)  -- what positions refer to
);

-- tenant_id is repeated so that one comparison decides who sees a position; the foreign key over
-- both columns keeps a position out of another tenant's portfolio.
CREATE TABLE public.portfolio_positions (
    portfolio_id  uuid          NOT NULL,
    tenant_id     uuid          NOT NULL,
    symbol        varchar(20)   COLLATE "C" NOT NULL,
    quantity      numeric(30,8) NOT NULL,  -- negative: short
    average_price numeric(20,8) NOT NULL,
    opened_at     timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (portfolio_id, symbol),
    FOREIGN KEY (tenant_id, portfolio_id)
        REFERENCES public.portfolios (tenant_id, portfolio_id) ON DELETE CASCADE
);
CREATE INDEX portfolio_positions_tenant ON public.portfolio_positions (tenant_id, portfolio_id);

REVOKE ALL ON public.tenants, public.tenant_roles, public.portfolios, public.portfolio_positions
    FROM PUBLIC;

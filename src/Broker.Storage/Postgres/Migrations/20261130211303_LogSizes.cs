using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class LogSizes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "log_size",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    workflow = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    is_cut = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_size", x => new { x.run_id, x.workflow, x.step });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "log_size");
        }
    }
}

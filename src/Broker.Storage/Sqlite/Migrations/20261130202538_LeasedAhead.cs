using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class LeasedAhead : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "ahead",
                table: "step",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ahead",
                table: "step");
        }
    }
}
